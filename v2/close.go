package v2

import "errors"

// Close codes that a server of v2 uses (RFC 6455 section 7.4, spec.md,
// "Closing"). Each goes with one of the reasons below.
const (
	CloseNormal     = 1000 // a client that is done
	CloseGoingAway  = 1001 // the server shuts down; come back later
	CloseProtocol   = 1002 // a frame that RFC 6455 forbids
	CloseNoStatus   = 1005 // never on the wire: a close frame without a code
	CloseUTF8       = 1007 // text that is not UTF-8
	ClosePolicy     = 1008 // refused or given up; the reason says which
	CloseTooBig     = 1009 // a hello or a message over its limit
	CloseInternal   = 1011 // a fault of the server
	CloseOverLimits = 1013 // no room for this connection now; come back later
)

// Close reasons, each with the one code it goes with. They are short enough to
// be a metric's label too.
const (
	ReasonHello     = "hello refused"        // 1008; CloseReason of a HelloError says more
	ReasonNotText   = "hello must be text"   // 1008: the first frame was binary
	ReasonAuth      = "wrong auth"           // 1008: absent where required, no number, or not the hash
	ReasonChannel   = "channel not allowed"  // 1008: not one that v2 clients may join, or not any more
	ReasonDuplicate = "already joined"       // 1008: the uid is on the channel and answers
	ReasonReplaced  = "replaced"             // 1008: the uid joined anew, and this connection did not answer
	ReasonTooSlow   = "too slow"             // 1008: lagged too far, or a frame begun and not continued in time
	ReasonNoHello   = "no hello in time"     // 1008
	ReasonNoPong    = "no pong"              // 1008: three pings unanswered
	ReasonUTF8      = "text is not UTF-8"    // 1007
	ReasonTooBig    = "too big"              // 1009
	ReasonProtocol  = "protocol error"       // 1002
	ReasonOverLimit = "over a limit"         // 1013: connections, rate or memory
	ReasonGoingAway = "server is going away" // 1001
	ReasonInternal  = "internal error"       // 1011
)

// CloseFor gives code and reason of the close frame that answers err, an error
// of this package. Any other error is the server's own fault: 1011.
func CloseFor(err error) (code int, reason string) {
	var hello *HelloError
	switch {
	case errors.As(err, &hello):
		return ClosePolicy, hello.CloseReason()
	case errors.Is(err, ErrHello):
		return ClosePolicy, ReasonHello
	case errors.Is(err, ErrAuth):
		return ClosePolicy, ReasonAuth
	case errors.Is(err, ErrUTF8):
		return CloseUTF8, ReasonUTF8
	case errors.Is(err, ErrTooBig):
		return CloseTooBig, ReasonTooBig
	}
	return CloseInternal, ReasonInternal
}
