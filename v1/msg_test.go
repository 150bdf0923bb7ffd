package v1_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mles/v1"
)

// checkBody decodes v.Body in both ways and holds the result against v.
func checkBody(t *testing.T, v bodyVector) {
	t.Helper()
	m, err := v1.DecodeMsg(v.Body)
	var view v1.View
	if viewErr := view.Decode(v.Body); (viewErr == nil) != (err == nil) {
		t.Errorf("DecodeMsg says %v, View.Decode %v", err, viewErr)
	}
	if !v.Decodes {
		if !errors.Is(err, v1.ErrBody) {
			t.Errorf("decodes to %+v, %v; want ErrBody", m, err)
		}
		return
	}
	want := v1.Msg{UID: v.UID, Channel: v.Channel, Message: v.Message}
	if err != nil || m.UID != want.UID || m.Channel != want.Channel || string(m.Message) != string(want.Message) {
		t.Errorf("decodes to %+v, %v; want %+v", m, err, want)
	}
	got := v1.Msg{UID: string(view.UID), Channel: string(view.Channel), Message: view.Message}
	if diff := cmp.Diff(m, got); diff != "" {
		t.Errorf("view differs (-msg +view):\n%s", diff)
	}
}
