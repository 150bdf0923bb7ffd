package v1

import (
	"errors"
	"fmt"
	"math"

	"github.com/fxamacker/cbor/v2"
)

// maxNesting is how deep arrays, maps and tags may stand in each other, the outermost counted: what the
// reference takes. It bounds the stack, whatever a hostile body nests.
const maxNesting = 127

// grammar checks that bytes are well-formed CBOR and nothing after it. It allocates nothing for what is
// announced, so the numbers of elements need no limit of their own: each takes a byte at least.
var grammar = mustGrammar()

func mustGrammar() cbor.DecMode {
	mode, err := newGrammar()
	if err != nil {
		panic(err) // options that contradict each other: every test would fail
	}
	return mode
}

func newGrammar() (cbor.DecMode, error) {
	const firstNamed, firstTwoByte = 20, 32 // false … undefined are 20 … 23, of one byte
	var unassigned []func(*cbor.SimpleValueRegistry) error
	for v := range math.MaxUint8 + 1 {
		if v < firstNamed || v >= firstTwoByte {
			unassigned = append(unassigned, cbor.WithRejectedSimpleValue(cbor.SimpleValue(v)))
		}
	}
	simple, err := cbor.NewSimpleValueRegistryFromDefaults(unassigned...)
	if err != nil {
		return nil, err
	}
	return cbor.DecOptions{
		IndefLength:      cbor.IndefLengthAllowed,
		TagsMd:           cbor.TagsAllowed,
		MaxNestedLevels:  maxNesting, // leaves out some tags; walker counts them all
		MaxArrayElements: math.MaxInt32,
		MaxMapPairs:      math.MaxInt32,
		SimpleValues:     simple,
	}.DecMode()
}

// What a body may be wrong about, beside its grammar.
var (
	errNesting  = fmt.Errorf("nested more than %d deep", maxNesting)
	errUTF8     = errors.New("text that is not UTF-8")
	errKind     = errors.New("neither map nor array")
	errElements = errors.New("array of another length")
	errKey      = errors.New("map key that names nothing")
)

// decodeLenient takes every form of a Msg that the reference takes.
func decodeLenient(body []byte) (View, error) {
	if err := grammar.Wellformed(body); err != nil {
		return View{}, err
	}
	var v View
	w := walker{rest: body}
	err := w.record([]string{"uid", "channel", "message"}, func(field int) (err error) {
		switch field {
		case 0:
			v.UID, err = w.name()
		case 1:
			v.Channel, err = w.name()
		default:
			v.Message, err = w.bytes()
		}
		return err
	})
	if err != nil {
		return View{}, err
	}
	return v, nil
}
