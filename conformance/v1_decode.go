package conformance

// A v1Body is one row of the decode table (v1/spec.md, "Decoding"): a body that
// says who joins which channel in a form of its own.
type v1Body struct {
	name string // last part of the ID
	says string // what about the body is special
	// body is that of alice in channel c, or of uid, if there is one here.
	body func(c string) string
	uid  string
	// tail is what is written behind the channel's name in the body.
	tail string
	// noUID and noChannel mark bodies that say none: a server that took them would
	// take the name for empty, so the key is made over that.
	noUID, noChannel bool
}

// Entries of a body as the rows below put them together. messageHi is a message.
const (
	uidAlice  = "\x63uid" + "\x65alice"
	messageHi = "\x67message" + "\x42hi"
)

// inChannel is the entry that names the channel.
func inChannel(c string) string { return "\x67channel" + string(Text(c)) }

// named returns the names that the key is made over.
func (b v1Body) named(room *Room) (uid, channel string) {
	uid, channel = "alice", room.Channel+b.tail
	if b.uid != "" {
		uid = b.uid
	}
	if b.noUID {
		uid = ""
	}
	if b.noChannel {
		channel = ""
	}
	return uid, channel
}

// v1DecodeCases try each body as a first frame: v1Taken's join, v1Refused's do
// not. As later frames all of them are forwarded: see v1ForwardCases.
func v1DecodeCases() []Case {
	var cases []Case
	for _, b := range v1Taken() {
		cases = append(cases, Case{
			ID: "v1/decode/takes-" + b.name, Section: "v1/spec.md#decoding", Needs: V1,
			Says: "A first frame whose body " + b.says + " joins the channel that it names, and is forwarded byte for byte.",
			Run: func(t *T) {
				room := t.Room()
				bob, joiner := room.Host("bob"), t.DialV1()
				uid, channel := b.named(room)
				bob.ExpectFrame(joiner.JoinWith(uid, channel, []byte(b.body(room.Channel))))
				room.Meet(joiner)
			},
		})
	}
	for _, b := range v1Refused() {
		cases = append(cases, Case{
			ID: "v1/decode/refuses-" + b.name, Section: "v1/spec.md#decoding", Needs: V1,
			Says: "A first frame whose body " + b.says + " closes the connection without a word and reaches nobody.",
			Run: func(t *T) {
				room := t.Room()
				bob, joiner := room.Host("bob"), t.DialV1()
				uid, channel := b.named(room)
				joiner.joinBy(uid, channel, Frame(newCID(), joiner.Key(uid, channel), []byte(b.body(room.Channel))))
				joiner.ExpectClosed()
				room.heardNothing(bob)
			},
		})
	}
	return append(cases, Case{
		ID: "v1/decode/undecodable-is-not-nameless", Section: "v1/spec.md#decoding", Level: Should, Needs: V1,
		Says: "A first frame whose body does not decode closes the connection without a word, even under the key over two empty names.",
		Run: func(t *T) {
			mallory := t.DialV1()
			mallory.Send(Frame(newCID(), mallory.Key("", ""), []byte("\xa2"+uidAlice+inChannel(t.Channel()))))
			mallory.ExpectClosed()
		},
	})
}
