package v1

// Frame is one whole frame as it came.
type Frame struct {
	Header
	Raw []byte // header and body, HeaderLen+Len bytes
}

// Body returns the CBOR body of f, a part of Raw.
func (f Frame) Body() []byte { return f.Raw[HeaderLen:] }

// ParseFrame takes b to be exactly one frame. It fails as ParseHeader does, and with ErrLength if b is
// longer or shorter than its header announces.
func ParseFrame(b []byte) (Frame, error) {
	h, err := ParseHeader(b)
	if err != nil {
		return Frame{}, err
	}
	if len(b) != HeaderLen+h.Len {
		return Frame{}, ErrLength
	}
	return Frame{Header: h, Raw: b}, nil
}

// AppendFrame adds to dst a frame with the canonical body of m. It panics if m.Size() is over MaxBody;
// whoever sends messages of other people's making compares with MaxMessage first.
func AppendFrame(dst []byte, cid uint32, key uint64, m Msg) []byte {
	dst = Header{Len: m.Size(), CID: cid, Key: key}.Append(dst)
	return m.Append(dst)
}
