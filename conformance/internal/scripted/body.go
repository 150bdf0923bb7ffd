package scripted

import "slices"

// A Msg is what a v1 body says.
type Msg struct {
	UID, Channel string
	Message      []byte
	// Frames is not nil if it is a ResyncMsg, which a Msg then is not.
	Frames [][]byte
}

// decode reads a body, a ResyncMsg or not, and remarks all that is unusual.
func decode(body []byte, maxNesting int) (Msg, []Remark) {
	it, remarks := parse(body, maxNesting)
	if frames, more, ok := resyncOf(it); ok {
		// In any form, and nothing but what the list says counts.
		return Msg{Frames: frames}, append(remarks, more...)
	}
	remarks = append(remarks, quirks("body", it)...)
	switch it.kind {
	case "map":
		m, more := fromMap(it)
		return m, append(remarks, more...)
	case "array":
		m, more := fromArray(it)
		return m, append(remarks, more...)
	}
	return Msg{}, append(remarks, "body other")
}

// names are the entries of a body, by their indices.
var names = [...]string{"uid", "channel", "message"}

func fromArray(it item) (m Msg, remarks []Remark) {
	remarks = append(remarks, "body array")
	if len(it.list) != len(names) {
		remarks = append(remarks, "array count")
	}
	for i, e := range it.list[:min(len(it.list), len(names))] {
		remarks = append(remarks, m.set(names[i], e)...)
	}
	return m, remarks
}

func fromMap(it item) (m Msg, remarks []Remark) {
	var order []string
	keyKinds := make(map[string]bool)
	for i := 0; i+1 < len(it.list); i += 2 {
		name, more := keyOf(it.list[i], names[:])
		remarks = append(remarks, more...)
		if name == "" {
			remarks = append(remarks, further(it.list[i+1])...)
			continue
		}
		keyKinds[it.list[i].kind] = true
		if slices.Contains(order, name) {
			remarks = append(remarks, Remark(name+" twice"))
		}
		order = append(order, name)
		remarks = append(remarks, m.set(name, it.list[i+1])...)
	}
	for _, name := range names {
		if !slices.Contains(order, name) {
			remarks = append(remarks, Remark(name+" missing"))
		}
	}
	if !slices.IsSortedFunc(order, func(a, b string) int { return slices.Index(names[:], a) - slices.Index(names[:], b) }) {
		remarks = append(remarks, "body in other order")
	}
	if len(keyKinds) > 1 {
		remarks = append(remarks, "key mixed")
	}
	return m, remarks
}

// keyOf returns which of the names a key is, "" for a further one.
func keyOf(key item, names []string) (string, []Remark) {
	remarks := append(quirks("key", key), Remark("key "+key.kind))
	switch key.kind {
	case "integer":
		if key.n < uint64(len(names)) {
			return names[key.n], remarks
		}
		return "", append(remarks, "further key integer")
	case "text", "bytes":
		if slices.Contains(names, string(key.str)) {
			return string(key.str), remarks
		}
		return "", append(remarks, Remark("further key "+key.kind))
	case "null", "simple unassigned":
		remarks = append(remarks, "key simple")
	}
	return "", remarks
}

// set takes the value of an entry.
func (m *Msg) set(name string, it item) (remarks []Remark) {
	remarks = quirks(name, it)
	switch it.kind {
	case "null":
		remarks = append(remarks, Remark(name+" null"), Remark(name+" simple"))
	default:
		remarks = append(remarks, Remark(name+" "+it.kind))
	}
	switch name {
	case "uid":
		m.UID = string(it.bytes(nil))
	case "channel":
		m.Channel = string(it.bytes(nil))
	case "message":
		m.Message = it.bytes(&remarks)
	}
	if it.kind == "array" && len(it.list) == 0 {
		remarks = append(remarks, Remark(name+" empty array"))
	}
	return remarks
}

// bytes are those of a string, or of an array of small integers.
func (it item) bytes(remarks *[]Remark) []byte {
	if it.kind != "array" {
		return it.str
	}
	b := make([]byte, 0, len(it.list))
	for _, e := range it.list {
		if remarks != nil {
			*remarks = append(*remarks, element(e)...)
		}
		b = append(b, byte(e.n))
	}
	return b
}

func element(e item) []Remark {
	remarks := append(quirks("element", e), Remark("element "+e.kind))
	switch {
	case e.kind == "integer" && e.n > 255:
		return append(remarks, "element over 255")
	case e.kind == "null", e.kind == "simple unassigned":
		return append(remarks, "element simple")
	case e.kind == "bytes" && slices.Contains(e.quirks, "tagged"):
		return append(remarks, "element bignum")
	}
	return remarks
}

// further remarks what a value is that nobody asked for, and all in it.
func further(it item) []Remark {
	remarks := append(quirks("further", it), Remark("further "+it.kind))
	if it.kind == "map" {
		for i := 0; i+1 < len(it.list); i += 2 {
			remarks = append(remarks, Remark("further map key "+it.list[i].kind))
		}
	}
	for _, e := range it.list {
		remarks = append(remarks, further(e)...)
	}
	return remarks
}

// quirks remarks those of an item. Byte strings need not be UTF-8, unless they are
// a name.
func quirks(place string, it item) (remarks []Remark) {
	for _, q := range it.quirks {
		if q == "not UTF-8" && it.kind == "bytes" && place != "uid" && place != "channel" {
			continue
		}
		if it.kind == "bytes" && (q == "chunks" || q == "not UTF-8") {
			remarks = append(remarks, Remark(place+" bytes "+q))
		}
		remarks = append(remarks, Remark(place+" "+q))
	}
	return remarks
}

// resyncOf returns the frames of a ResyncMsg; ok says whether it is one. A message
// with an entry of that name is one only if the list has an entry and decodes.
func resyncOf(it item) (frames [][]byte, remarks []Remark, ok bool) {
	list, index, ok := only(it, "resync_message")
	if !ok {
		return nil, nil, false
	}
	alone := it.kind == "array" || len(it.list) == 2
	frames, remarks = resyncFrames(list)
	if len(frames) == 0 || slices.Contains(remarks, "resync undecodable") {
		return frames, remarks, alone
	}
	remarks = append(remarks, quirks("resync", it)...)
	remarks = append(remarks, Remark("resync "+it.kind))
	if index {
		remarks = append(remarks, "resync index")
	}
	if !alone {
		remarks = append(remarks, "resync further")
	}
	return frames, remarks, true
}

func resyncFrames(list item) (frames [][]byte, remarks []Remark) {
	frames = [][]byte{}
	switch {
	case list.kind != "array":
		return frames, []Remark{"resync undecodable"}
	case len(list.list) == 0:
		return frames, []Remark{"resync empty"}
	}
	remarks = quirks("resync list", list)
	for _, e := range list.list {
		value, _, ok := only(e, "encoded_msg")
		if !ok || value.kind != "bytes" && value.kind != "text" && value.kind != "array" {
			return frames, append(remarks, "resync undecodable")
		}
		remarks = append(remarks, quirks("resync entry", e)...)
		remarks = append(remarks, quirks("resync frame", value)...)
		remarks = append(remarks, Remark("resync entry "+e.kind), Remark("resync frame "+value.kind))
		frames = append(frames, value.bytes(&remarks))
	}
	return frames, remarks
}

// only returns the entry of a struct of one: a map with the name or 0 as key
// (index), or an array of one.
func only(it item, name string) (value item, index, ok bool) {
	switch it.kind {
	case "array":
		if len(it.list) == 1 {
			return it.list[0], false, true
		}
	case "map":
		for i := 0; i+1 < len(it.list); i += 2 {
			if n, _ := keyOf(it.list[i], []string{name}); n == name {
				return it.list[i+1], it.list[i].kind == "integer", true
			}
		}
	}
	return item{}, false, false
}
