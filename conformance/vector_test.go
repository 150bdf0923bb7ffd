package conformance

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestVectorsAreSelfDescribing(t *testing.T) {
	dir := t.TempDir()
	n, err := WriteVectors(dir)
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*", "*.json"))
	if err != nil || len(files) != n {
		t.Errorf("%d files for %d vectors, %v: two have the same id", len(files), n, err)
	}
	readme, err := os.ReadFile(filepath.Join(dir, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	var schema struct {
		Properties struct {
			Kind struct{ Enum []string }
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "schema.json"))
	if err != nil || json.Unmarshal(text, &schema) != nil {
		t.Fatalf("schema: %v", err)
	}
	kinds := strings.Join(schema.Properties.Kind.Enum, " ")
	id := regexp.MustCompile(`^[a-z0-9-]+/[a-z0-9-]+$`)
	for _, v := range Vectors() {
		switch {
		case !id.MatchString(v.ID) || !strings.HasSuffix(v.Says, "."):
			t.Errorf("%s: %q", v.ID, v.Says)
		case v.Valid != (v.Output != nil):
			t.Errorf("%s: valid and output do not fit", v.ID)
		case !strings.Contains(kinds, v.Kind) || !bytes.Contains(readme, []byte("`"+v.Kind+"`")):
			t.Errorf("%s: neither schema nor page know its kind", v.ID)
		case !strings.HasPrefix(v.Section, "vectors/") && !hasSection(t, v.Section):
			t.Errorf("%s: no section %s", v.ID, v.Section)
		}
	}
}

// The example of the docs is a test of the vectors by somebody else's code.
func TestVectorsInPython(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3 here: CI has it")
	}
	dir := t.TempDir()
	if _, err := WriteVectors(dir); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(python, filepath.Join(dir, "check.py")).CombinedOutput(); err != nil {
		t.Errorf("%v:\n%s", err, out)
	}
}

// What mles-webproxy 0.8.8 was seen to send.
func TestMaskIsTheWebproxys(t *testing.T) {
	for _, v := range v1MaskVectors() {
		if v.ID != "v1-mask/message" {
			continue
		}
		if v.Output["key1"] != "625482a89d8422528dff9984eeaa97b5" || v.Output["key2"] != "50ce16f05187b11e596721a30d78bc11" ||
			v.Output["uid"] != "9Jnbz6UPQXBxtZgeHSzEWA==" || v.Output["channel"] != "WzWzBzjy0V/enbj6J5H1EA==" ||
			v.Output["message"] != "000102030405060708090a0b0c0d0e0fd720f3a877" {
			t.Errorf("got %v", v.Output)
		}
		return
	}
	t.Error("no such vector")
}

// A gateway takes and refuses first frames as the vectors say.
func TestGatewayAgreesWithTheVectors(t *testing.T) {
	keyed, keyless := gateway(t, "swordfish"), gateway(t, "")
	var v1, v2, auths []Case
	for _, v := range Vectors() {
		switch v.Kind {
		case "v1-body":
			v1 = append(v1, Case{ID: v.ID, Needs: V1, Conns: 2, Run: func(t *T) { bodyJoins(t, v) }})
		case "v1-resync":
			v1 = append(v1, Case{ID: v.ID, Needs: V1, Conns: 2, Run: func(t *T) { resyncJoins(t, v) }})
		case "v2-hello":
			v2 = append(v2, Case{ID: v.ID, Needs: V2, Conns: 2, Run: func(t *T) {
				helloJoins(t, v, string(unhex(v.Input["bytes"])), v.Output["uid"], v.Output["channel"])
			}})
		case "v2-auth":
			if in := v.Input; in["shared_key"] == "swordfish" {
				hello := HelloText(in["uid"].(string), in["channel"].(string), "") // quoted below: auth may hold anything
				hello = strings.TrimSuffix(hello, "}") + `,"auth":` + quote(in["auth"].(string)) + "}"
				auths = append(auths, Case{ID: v.ID, Needs: V2, Conns: 2, Run: func(t *T) { helloJoins(t, v, hello, in["uid"], in["channel"]) }})
			}
		}
	}
	// One by one: their names are not their own.
	allPass(t, keyed, Options{Cases: v1, Parallel: 1})
	allPass(t, keyless, Options{Cases: v2, Parallel: 1})
	allPass(t, keyed, Options{Cases: auths, Parallel: 1})
}

func unhex(v any) []byte {
	b, _ := hex.DecodeString(v.(string))
	return b
}

func bodyJoins(t *T, v Vector) {
	uid, channel := "u", "room"
	if v.Valid {
		uid, channel = v.Output["uid"].(string), v.Output["channel"].(string)
	}
	c := t.DialV1()
	c.Send(Frame(1, c.Key(uid, channel), unhex(v.Input["body"])))
	v1Joined(t, c, v.Valid, channel)
}

func resyncJoins(t *T, v Vector) {
	c := t.DialV1()
	c.Send(Frame(1, 2, unhex(v.Input["body"])))
	v1Joined(t, c, v.Valid, "chan")
}

// v1Joined wants c to be in the channel, or to be closed.
func v1Joined(t *T, c *V1Conn, joined bool, channel string) {
	if !joined {
		c.ExpectClosed()
		return
	}
	room := t.RoomNamed(channel)
	witness := t.DialV1()
	witness.Join(t.UID("witness"), channel, "")
	room.Meet(witness)
	room.hear(c)
}

func helloJoins(t *T, v Vector, hello string, uid, channel any) {
	c := t.DialV2()
	c.SendText(hello)
	if !v.Valid {
		c.ExpectRefused()
		return
	}
	c.UID, c.Channel = uid.(string), channel.(string)
	room := t.RoomNamed(c.Channel)
	witness := t.DialV2()
	witness.Hello(t.UID("witness"), c.Channel)
	room.Meet(witness)
	room.hear(c)
}

// hear wants a connection to hear the room's first member.
func (r *Room) hear(c member) { r.knockUntilHeard(r.members[0], c) }

// What a gateway does between the dialects is what the vectors say, each on a
// gateway of its own: they name their channel.
func TestGatewayMapsAsTheVectorsSay(t *testing.T) {
	for _, v := range mappingVectors() {
		run := v1ToV2
		if v.Kind == "v2-to-v1" {
			if v.Input["shared_key"] == nil {
				continue // another machine's address
			}
			run = v2ToV1
		}
		t.Run(v.ID, func(t *testing.T) {
			allPass(t, gateway(t, "swordfish"), Options{Cases: []Case{{ID: v.ID, Needs: V1 | V2, Run: func(t *T) { run(t, v) }}}})
		})
	}
}

func v1ToV2(t *T, v Vector) {
	room := t.RoomNamed("room")
	room.V1("host")
	watcher := room.V2("watcher")
	alice := t.DialV1()
	if v.Input["first"] != true {
		alice.Join("alice", "room", "")
	}
	alice.Send(unhex(v.Input["frame"]))
	alice.SeeOff()
	room.VisitV2("after", "done")
	expectMapped(watcher, v.Output["live"])
	watcher.ExpectFrame(Fin|OpBinary, "done")

	last := fmt.Sprintf("knock-%d-", room.knocks)
	late := t.DialV2()
	late.Hello("late", "room")
	for { // up to the last knock of the host and the watcher
		first, payload := late.Next()
		if first == Fin|OpBinary && strings.HasPrefix(payload, last) {
			break
		}
	}
	if v.Input["first"] != true {
		late.ExpectNotice("alice")
	}
	expectMapped(late, v.Output["history"])
	late.ExpectNotice("after")
}

func expectMapped(c *V2Conn, frames any) {
	for _, f := range frames.([]fields) {
		op := map[any]byte{"text": OpText, "binary": OpBinary}[f["opcode"]]
		c.ExpectFrame(Fin|op, string(unhex(f["payload"])))
	}
}

func v2ToV1(t *T, v Vector) {
	room := t.RoomNamed("room")
	watcher := room.V1("watcher")
	room.V1("host")
	c := t.DialV2()
	c.Hello(v.Input["uid"].(string), "room")
	if v.Input["event"] != "join" {
		watcher.Next()
		op := map[any]byte{"text": OpText, "binary": OpBinary}[v.Input["opcode"]]
		c.SendFrame(Fin|op, string(unhex(v.Input["payload"])))
	}
	watcher.ExpectFrame(unhex(v.Output["frame"]))
}
