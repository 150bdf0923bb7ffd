package v1

import "errors"

// What can be wrong with bytes that should be v1. Compare with errors.Is: some come wrapped with what
// exactly was found. spec.md, "Errors", says what each of them does to a connection.
var (
	// ErrShort: fewer bytes than a header has. On a connection: read on.
	ErrShort = errors.New("v1: shorter than a header")
	// ErrMagic: the first byte of a frame is not 'M'. Closes the connection.
	ErrMagic = errors.New("v1: frame does not begin with M")
	// ErrEmpty: the header announces a body of no bytes. Closes the connection.
	ErrEmpty = errors.New("v1: frame without body")
	// ErrLength: bytes that should be one frame are more or fewer than their header says.
	ErrLength = errors.New("v1: length of frame differs from its header")
	// ErrBody: the body is no Msg. Closes the connection in a first frame unless it is a ResyncMsg;
	// later the frame is forwarded to v1 members as it is.
	ErrBody = errors.New("v1: body does not decode")
	// ErrNotResync: the body is no ResyncMsg at all; it may be a Msg.
	ErrNotResync = errors.New("v1: not a resync message")
	// ErrResync: the body is a ResyncMsg, but a faulty one. Closes the connection in a first frame.
	ErrResync = errors.New("v1: faulty resync message")
	// ErrTooLarge: the message does not fit a frame with these names. Nothing was sent.
	ErrTooLarge = errors.New("v1: message too large for a frame")
	// ErrMaskName: a name is not one that the mask of this channel was put on.
	ErrMaskName = errors.New("v1: name without this channel's mask")
	// ErrMaskShort: a message of MaskCounter bytes or fewer has nothing that could be masked.
	ErrMaskShort = errors.New("v1: message too short to be masked")
)
