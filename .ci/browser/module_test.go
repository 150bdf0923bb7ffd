package browser

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/dchest/siphash"
)

// asJS is a value as an expression.
func asJS(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The chat page's auth is that of the known vectors, and its hash that of Go for any bytes and keys.
func TestAuth(t *testing.T) {
	t.Parallel()
	p := open(t, startGateway(t, nil).admin("/chat"))
	text, err := os.ReadFile("testdata/v2-auth.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []struct {
		UID, Channel string
		Key          string `json:"shared_key"`
		Auth         string
	}
	if err := json.Unmarshal(text, &vectors); err != nil || len(vectors) < 4 {
		t.Fatal(vectors, err)
	}
	for _, v := range vectors {
		got := js[string](p, fmt.Sprintf(`import("/chat/siphash.js").then((m) => m.auth(%s, %s, %s))`, asJS(t, v.UID), asJS(t, v.Channel), asJS(t, v.Key)))
		if got != v.Auth {
			t.Errorf("%s on %s: %s, want %s", v.UID, v.Channel, got, v.Auth)
		}
	}
	var all [][]int
	var want []string
	random := rand.New(rand.NewPCG(1, 2))
	for n := range 70 {
		key := [4]uint32{random.Uint32(), random.Uint32(), random.Uint32(), random.Uint32()}
		row := []int{int(key[0]), int(key[1]), int(key[2]), int(key[3])}
		data := make([]byte, n)
		for i := range data {
			data[i] = byte(random.Uint32())
			row = append(row, int(data[i]))
		}
		all = append(all, row)
		want = append(want, fmt.Sprintf("%016x", siphash.Hash(uint64(key[1])<<32|uint64(key[0]), uint64(key[3])<<32|uint64(key[2]), data)))
	}
	got := js[[]string](p, fmt.Sprintf(`import("/chat/siphash.js").then((m) => %s.map((r) => m.siphash(new Uint8Array(r.slice(4)), new Uint32Array(r.slice(0, 4)))))`, asJS(t, all)))
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%d bytes: %s, want %s", i, got[i], want[i])
		}
	}
}

// What of a replay is new: the rules of mlesctl.
func TestReplay(t *testing.T) {
	t.Parallel()
	p := open(t, startGateway(t, nil).admin("/chat"))
	for _, c := range []struct {
		name, seen, sent, replay string
		known                    int
	}{
		{"nothing seen", "", "", "12", 0},
		{"nothing new", "12", "", "12", 2},
		{"nothing kept", "12", "", "", 0},
		{"one new", "12", "", "123", 2},
		{"a history shorter than the memory", "1234", "", "345", 2},
		{"all kept is new", "12", "", "78", 0},
		{"a pattern that repeats", "12123", "", "312", 1},
		{"the last one again", "12", "", "122", 2},
		{"one word said over and over", "1", "", "11", 1},
		{"own messages between", "12", "xy", "1x2y3", 4},
		{"own messages at the beginning", "12", "x", "x23", 2},
		{"own messages that never arrived", "12", "xy", "1x2", 3},
		{"own messages only", "", "xy", "xy", 2},
		{"own and another's alike", "x1", "x", "xx12", 3},
		{"gone back to a few words", "12345", "", "123", 0},
		{"gone back to a long run", "abcdefghijklmnopqrstuvwxyz", "X", "bcdefghijklmnopXqrNEW", 18},
		{"gone back to a run of one word", "aaaaaaaaaaaaaaaaaaaaaaaaab", "", "aaaaaaaaaaaaaaaaaaaaaN", 0},
	} {
		got := js[int](p, fmt.Sprintf(`import("/chat/replay.js").then(({ Tail }) => {
			const tail = new Tail();
			for (const m of %q) tail.saw(tail.digest(m));
			for (const m of %q) tail.said(tail.digest(m));
			return tail.known([...%q].map((m) => tail.digest(m)));
		})`, c.seen, c.sent, c.replay))
		if got != c.known {
			t.Errorf("%s: %d are known, want %d", c.name, got, c.known)
		}
	}
	if !js[bool](p, `import("/chat/replay.js").then(({ Tail }) => {
		const tail = new Tail(), all = [];
		for (let i = 0; i < 3 * 4096; i++) all.push(tail.digest("message " + i));
		for (const d of all) tail.saw(d);
		return tail.known([...all, tail.digest("new")]) === all.length;
	})`) {
		t.Error("of a history longer than the memory more than one is new")
	}
}

// What a frame says: arrivals of either spelling, text, and bytes; never an auth, never a control character.
func TestFrames(t *testing.T) {
	t.Parallel()
	p := open(t, startGateway(t, nil).admin("/chat"))
	for frame, want := range map[string]string{
		`'{"uid":"bob","channel":"hall"}'`:                           `{"arrival":"bob"}`,
		`'{"uid":"bob","channel":"hall","auth":"30eaa73873f27ef9"}'`: `{"arrival":"bob"}`,
		`'{"uid":"bob","channel":"hell","auth":"30eaa73873f27ef9"}'`: `{"arrival":"bob"}`,
		`'{"uid":"bob","channel":"hell"}'`:                           `{"text":"{\"uid\":\"bob\",\"channel\":\"hell\"}"}`,
		`'{"uid":"bob","channel":"hall","x":1}'`:                     `{"text":"{\"uid\":\"bob\",\"channel\":\"hall\",\"x\":1}"}`,
		`'["bob","hall"]'`:                                           `{"text":"[\"bob\",\"hall\"]"}`,
		`'null'`:                                                     `{"text":"null"}`,
		`'plain'`:                                                    `{"text":"plain"}`,
		`new TextEncoder().encode("a line\r\n").buffer`:              `{"text":"a line"}`,
		`new TextEncoder().encode("two\n\n").buffer`:                 `{"text":"two\n"}`,
		`new TextEncoder().encode("\u001b[31mred\u0007\tö").buffer`:  "{\"text\":\"␛[31mred␇\\tö\"}",
		`new Uint8Array([0xff, 0xfe]).buffer`:                        `{"bytes":{"0":255,"1":254}}`,
		`new Uint8Array([65, 0]).buffer`:                             `{"bytes":{"0":65,"1":0}}`,
		`new Uint8Array([]).buffer`:                                  `{"text":""}`,
	} {
		if got := js[string](p, fmt.Sprintf(`import("/chat/frame.js").then((m) => JSON.stringify(m.parse(%s, "hall")))`, frame)); got != want {
			t.Errorf("%s: %s, want %s", frame, got, want)
		}
	}
	if got := js[string](p, `import("/chat/frame.js").then((m) => m.describe(new Uint8Array(2000).fill(10)))`); got != "2,000 bytes, not text: "+"0a 0a 0a 0a 0a 0a 0a 0a 0a 0a 0a 0a …" {
		t.Error(got)
	}
}

// Numbers for people, and rates of counters that begin anew.
func TestNumbers(t *testing.T) {
	t.Parallel()
	p := open(t, startGateway(t, nil).admin("/"))
	for expression, want := range map[string]string{
		"bytes(0)": "0 B", "bytes(999)": "999 B", "bytes(1536)": "1.5 KiB", "bytes(6335076761)": "5.9 GiB", "bytes(1023 * 1024)": "1 MiB",
		"rate(0)": "0", "rate(0.04)": "<0.1", "rate(3.25)": "3.3", "rate(1234.5)": "1,235", "rate(123456)": "123.5k", "rate(NaN)": "–",
		"span(0)": "0 s", "span(59)": "59 s", "span(61)": "1 min 1 s", "span(3600)": "1 h", "span(90061)": "1 d 1 h",
		`ago("2026-01-01T00:00:00Z", Date.parse("2026-01-01T00:02:00Z"))`: "2 min ago", `ago("0001-01-01T00:00:00Z", Date.now())`: "",
		`ago(undefined, Date.now())`: "", "plural(1, 'one', 'many')": "1 one", "plural(2000, 'one', 'many')": "2,000 many",
	} {
		if got := js[string](p, fmt.Sprintf(`import("/console/format.js").then(({ bytes, rate, span, ago, plural }) => %s)`, expression)); got != want {
			t.Errorf("%s: %q, want %q", expression, got, want)
		}
	}
	got := js[[]string](p, `import("/console/rates.js").then(({ Rates }) => {
		const rates = new Rates();
		return [[10, 0, "a"], [30, 2000, "a"], [30, 4000, "a"], [5, 6000, "b"], [6, 8000, "b"]].map(([n, at, run]) => String(rates.of({ n }, at, run).n));
	})`)
	if want := fmt.Sprint([]string{"NaN", "10", "0", "NaN", "0.5"}); fmt.Sprint(got) != want {
		t.Errorf("%v, want %v", got, want)
	}
}
