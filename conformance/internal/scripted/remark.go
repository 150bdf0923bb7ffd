package scripted

// A Remark is something out of the ordinary that a reader saw: a place and what
// is there, "uid twice".
type Remark string

// A Verdict is what a remark leads to. Above zero it is a close code of v2, or the
// status of an answer to a request.
type Verdict int

const (
	// Ignore goes on as if nothing were there.
	Ignore Verdict = 0
	// Cut closes the connection without a word.
	Cut Verdict = -1
	// Hang goes on reading, and heeds nothing any more.
	Hang Verdict = -2
	// Blank reads a body as one of empty names and an empty message.
	Blank Verdict = -3
)

// judge returns the first verdict that is no Ignore, and the remark it is about.
func (r *Rules) judge(remarks ...Remark) (Verdict, Remark) {
	for _, m := range remarks {
		if v := r.Verdicts[m]; v != Ignore {
			return v, m
		}
	}
	return Ignore, ""
}

// verdicts are the right ones, by the tables of v1/spec.md and v2/spec.md.
func verdicts() map[Remark]Verdict {
	all := make(map[Remark]Verdict)
	for v, remarks := range map[Verdict][]Remark{
		Cut: append(bodyFaults(),
			"frame not M", "frame of length 0", "frame too long", "frame torn", "first frame late", "frame stalled",
			"name too long", "key wrong", "CID taken",
			"resync empty", "resync undecodable", "resync frame short", "resync frame cut", "resync frame long", "resync frame not M", "resync frame of length 0",
			"request with bytes behind",
		),
		426: {"no upgrade"},
		405: {"method"},
		400: {"old HTTP", "no subprotocol", "websocket version", "websocket key"},
		1002: {
			"frame not masked", "reserved bit", "reserved opcode", "stray continuation", "message inside message",
			"control in fragments", "control over 125", "close code forbidden", "close code cut", "close reason not UTF-8", "length over 63 bits",
		},
		1007: {"hello not UTF-8", "text not UTF-8", "v1ws text", "v1ws body undecodable", "v1ws long uid"},
		1009: {"hello too big", "message too big", "v1ws body too big"},
		1013: {"v1ws too many channels"},
		1008: append(helloFaults(), "hello binary", "hello late", "auth wrong", "uid taken", "replaced", "message stalled", "no pong", "v1ws name too long"),
	} {
		for _, r := range remarks {
			all[r] = v
		}
	}
	return all
}

func bodyFaults() []Remark {
	faults := []Remark{
		"cut", "reserved width", "indefinite number", "break", "odd map", "nesting", "chunk kind", "chunk indefinite", "chunk tagged",
		"body other", "bytes after", "array count",
		"uid missing", "channel missing", "message missing", "uid twice", "channel twice", "message twice",
		"uid not UTF-8", "channel not UTF-8", "message not UTF-8", "further not UTF-8",
		"key not UTF-8", "key negative", "key float", "key simple", "key array", "key map",
		"further simple unassigned", "message simple unassigned",
		"element over 255", "element negative", "element float", "element simple", "element text", "element bytes", "element array", "element map",
	}
	for _, name := range []Remark{"uid", "channel"} {
		faults = append(faults, name+" integer", name+" negative", name+" float", name+" simple", name+" array", name+" map")
	}
	return append(faults, "message integer", "message negative", "message float", "message simple", "message map")
}

func helloFaults() []Remark {
	faults := []Remark{"hello not JSON", "hello array", "hello followed", "member name surrogate", "auth twice", "auth not text", "auth surrogate"}
	for _, name := range []Remark{"uid", "channel"} {
		faults = append(faults, "hello "+name+" missing", "hello "+name+" twice", "hello "+name+" not text", "hello "+name+" empty", "hello "+name+" long", "hello "+name+" surrogate")
	}
	return faults
}
