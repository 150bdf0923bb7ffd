package conformance

import (
	"bytes"
	"fmt"
	"slices"

	"mles/conformance/internal/scripted"
)

// v1BodyFaults are about what is a body. Most turn one verdict over.
func v1BodyFaults() []fault {
	var faults []fault
	for _, form := range []scripted.Remark{
		"body in other order", "body indefinite", "body wide", "body tagged", "body array",
		"key bytes", "key integer", "key wide", "key mixed", "key chunks", "key tagged",
		"further key text", "further key bytes", "further key integer", "further simple", "further null", "further float", "further negative",
		"further map key null", "further array", "further map", "further indefinite", "further chunks", "further tagged",
		"uid bytes", "uid bytes chunks", "uid chunks", "uid wide", "uid tagged",
		"channel bytes", "channel chunks", "channel wide", "channel tagged",
		"message text", "message chunks", "message array", "message indefinite", "message empty array", "message wide", "message tagged",
		"element wide", "element tagged",
	} {
		faults = append(faults, fault{name: fmt.Sprintf("refuses a body: %s", form), breaks: refuses(form)})
	}
	for _, form := range []scripted.Remark{
		"cut", "reserved width", "indefinite number", "break", "odd map", "nesting", "chunk kind", "chunk indefinite", "chunk tagged",
		"body other", "bytes after", "array count",
		"uid missing", "channel missing", "message missing", "uid twice", "channel twice", "message twice",
		"uid not UTF-8", "channel not UTF-8", "message not UTF-8", "further not UTF-8",
		"key not UTF-8", "key negative", "key float", "key simple", "key array", "key map",
		"further simple unassigned",
		"uid simple", "channel simple",
		"message simple", "message integer", "message map",
		"element over 255", "element negative", "element float", "element simple", "element text", "element bytes",
	} {
		faults = append(faults, fault{name: fmt.Sprintf("takes a body: %s", form), breaks: takes(form)})
	}
	return append(faults,
		fault{name: "takes what does not decode for empty names", breaks: func(r *scripted.Rules) {
			right := r.Decode
			r.Decode = func(body []byte, n int) (scripted.Msg, []scripted.Remark) {
				m, remarks := right(body, n)
				for _, about := range remarks {
					if r.Verdicts[about] == scripted.Cut {
						return scripted.Msg{}, nil
					}
				}
				return m, remarks
			}
		}},
		fault{name: "takes 126 levels of nesting", breaks: func(r *scripted.Rules) { r.MaxNesting = 126 }},
		fault{name: "takes 128 levels of nesting", breaks: func(r *scripted.Rules) { r.MaxNesting = 128 }},
		fault{name: "takes an empty map", breaks: decoded(func(body []byte) bool { return string(body) == "\xa0" })},
		fault{name: "takes what is no body for an empty one", breaks: decoded(func(body []byte) bool { return len(body) > 0 && body[0] != 0xa0 && body[0] < 0x80 })},
		fault{name: "takes a break for an empty body", breaks: decoded(func(body []byte) bool { return string(body) == "\xff" })},
		fault{name: "takes a number for a uid", breaks: func(r *scripted.Rules) {
			takes("uid integer")(r)
			right := r.Decode
			r.Decode = func(body []byte, n int) (scripted.Msg, []scripted.Remark) {
				m, remarks := right(body, n)
				if slices.Contains(remarks, "uid integer") {
					m.UID = "1"
				}
				return m, remarks
			}
		}},
		fault{name: "takes the first of an array for a uid", breaks: func(r *scripted.Rules) {
			takes("uid array")(r)
			right := r.Decode
			r.Decode = func(body []byte, n int) (scripted.Msg, []scripted.Remark) {
				m, remarks := right(body, n)
				if slices.Contains(remarks, "uid array") {
					m.UID = "alice"
				}
				return m, remarks
			}
		}},
		fault{name: "takes names of keys in any case", breaks: func(r *scripted.Rules) {
			right := r.Decode
			r.Decode = func(body []byte, n int) (scripted.Msg, []scripted.Remark) {
				return right(bytes.Replace(body, []byte("\x63Uid"), []byte("\x63uid"), 1), n)
			}
		}},
	)
}

// decoded takes some bodies for a message of nobody, nowhere.
func decoded(blank func(body []byte) bool) func(r *scripted.Rules) {
	return func(r *scripted.Rules) {
		right := r.Decode
		r.Decode = func(body []byte, n int) (scripted.Msg, []scripted.Remark) {
			if blank(body) {
				return scripted.Msg{}, nil
			}
			return right(body, n)
		}
	}
}

// decoding changes what a body says; false: it is not taken.
func decoding(change func(body []byte, m *scripted.Msg) bool) func(r *scripted.Rules) {
	return func(r *scripted.Rules) {
		right := r.Decode
		r.Verdicts["a fault"] = scripted.Cut
		r.Decode = func(body []byte, n int) (scripted.Msg, []scripted.Remark) {
			m, remarks := right(body, n)
			if !change(body, &m) {
				remarks = append(remarks, "a fault")
			}
			return m, remarks
		}
	}
}
