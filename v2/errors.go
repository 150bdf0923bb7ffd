package v2

import "errors"

// Errors of the codecs. CloseFor sorts them into close codes.
var (
	// ErrHello is every *HelloError to errors.Is: the hello is refused (1008).
	ErrHello = errors.New("v2: hello refused")
	// ErrUTF8: text that is not valid UTF-8 (1007).
	ErrUTF8 = errors.New("v2: text is not valid UTF-8")
	// ErrTooBig: a hello over MaxHello or a message over MaxMessage (1009).
	ErrTooBig = errors.New("v2: too big")
	// ErrAuth: an auth that is no hex number of at most 64 bits (1008, as a
	// wrong one).
	ErrAuth = errors.New("v2: auth is not a hex number of 64 bits")
)

// HelloError says which member of a hello is refused, and why. Its text is
// safe for a close reason and a log: it never holds what the member held.
type HelloError struct {
	Member string // "uid", "channel", "auth", or "" for the hello as a whole
	Reason string // a predicate in plain words, such as "is missing"
}

func (e *HelloError) Error() string { return "v2: " + e.CloseReason() }

// CloseReason is the text for the close frame, such as
// "hello refused: uid is missing"; at most 123 bytes.
func (e *HelloError) CloseReason() string {
	what := e.Member
	if what == "" {
		what = "it"
	}
	return ReasonHello + ": " + what + " " + e.Reason
}

// Is makes every HelloError an ErrHello.
func (e *HelloError) Is(target error) bool { return target == ErrHello }
