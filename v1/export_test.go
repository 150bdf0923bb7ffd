package v1

// ScanView is the hand-written half of View.Decode.
func ScanView(body []byte) (v View, ok bool) {
	ok = v.scan(body)
	return v, ok
}

// DecodeViewLenient is the other half.
func DecodeViewLenient(body []byte) (View, error) { return decodeLenient(body) }
