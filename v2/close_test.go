package v2_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"mles/v2"
)

func TestEveryErrorHasItsClose(t *testing.T) {
	for _, c := range []struct {
		err    error
		code   int
		reason string
	}{
		{&v2.HelloError{Member: "uid", Reason: "is empty"}, v2.ClosePolicy, "hello refused: uid is empty"},
		{fmt.Errorf("alice: %w", &v2.HelloError{Reason: "is an array"}), v2.ClosePolicy, "hello refused: it is an array"},
		{v2.ErrHello, v2.ClosePolicy, v2.ReasonHello},
		{v2.ErrAuth, v2.ClosePolicy, v2.ReasonAuth},
		{errors.Join(io.EOF, v2.ErrUTF8), v2.CloseUTF8, v2.ReasonUTF8},
		{v2.ErrTooBig, v2.CloseTooBig, v2.ReasonTooBig},
		{io.EOF, v2.CloseInternal, v2.ReasonInternal},
	} {
		if code, reason := v2.CloseFor(c.err); code != c.code || reason != c.reason {
			t.Errorf("%v closes with %d %q, want %d %q", c.err, code, reason, c.code, c.reason)
		}
	}
}
