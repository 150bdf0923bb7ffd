package v2_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mles/v2"
)

func TestHelloThatJoins(t *testing.T) {
	alice := v2.Hello{UID: "alice", Channel: "chan"}
	withAuth := v2.Hello{UID: "alice", Channel: "chan", Auth: "ff", HasAuth: true}
	longest := strings.Repeat("n", v2.MaxName)
	for name, c := range map[string]struct {
		text string
		want v2.Hello
	}{
		"as MlesTalk writes it":        {`{"uid":"alice","channel":"chan"}`, alice},
		"with auth":                    {`{"uid":"alice","channel":"chan","auth":"ff"}`, withAuth},
		"any order":                    {`{"auth":"ff","channel":"chan","uid":"alice"}`, withAuth},
		"auth null is absent":          {`{"uid":"alice","channel":"chan","auth":null}`, alice},
		"auth empty is there":          {`{"uid":"alice","channel":"chan","auth":""}`, v2.Hello{UID: "alice", Channel: "chan", HasAuth: true}},
		"auth is not looked at":        {`{"uid":"alice","channel":"chan","auth":"xyz"}`, v2.Hello{UID: "alice", Channel: "chan", Auth: "xyz", HasAuth: true}},
		"white space around":           {" \t\r\n{ \"uid\" : \"alice\" ,\n\"channel\":\"chan\" } \r\n\t ", alice},
		"unknown members of any type":  {`{"a":1,"b":[1,{"uid":"x"}],"c":null,"d":{"channel":2},"uid":"alice","e":"x","channel":"chan","f":1e999,"g":true}`, alice},
		"unknown member twice":         {`{"x":1,"x":2,"uid":"alice","channel":"chan"}`, alice},
		"other spellings beside":       {`{"UID":"eve","Channel":1,"AUTH":[],"uid":"alice","channel":"chan"}`, alice},
		"name of a member escaped":     {`{"\u0075id":"alice","channe\u006c":"chan"}`, alice},
		"deep unknown member":          {`{"x":` + strings.Repeat("[", 4000) + strings.Repeat("]", 4000) + `,"uid":"alice","channel":"chan"}`, alice},
		"half a pair, unknown member":  {`{"x":"\ud800","uid":"alice","channel":"chan"}`, alice},
		"NUL":                          {`{"uid":"\u0000","channel":"a\u0000b"}`, v2.Hello{UID: "\x00", Channel: "a\x00b"}},
		"escapes":                      {`{"uid":"\"\\\/\b\f\n\r\t","channel":"\\ud800"}`, v2.Hello{UID: "\"\\/\b\f\n\r\t", Channel: `\ud800`}},
		"not ASCII":                    {`{"uid":"Ægir","channel":"日本"}`, v2.Hello{UID: "Ægir", Channel: "日本"}},
		"not ASCII, escaped":           {`{"uid":"\u00c6gir","channel":"\ud83d\ude00"}`, v2.Hello{UID: "Ægir", Channel: "😀"}},
		"white space is a name":        {`{"uid":" ","channel":"\t\n"}`, v2.Hello{UID: " ", Channel: "\t\n"}},
		"longest names":                {`{"uid":"` + longest + `","channel":"` + longest + `"}`, v2.Hello{UID: longest, Channel: longest}},
		"longest names as NUL escapes": {`{"uid":"` + strings.Repeat(`\u0000`, v2.MaxName) + `","channel":"c"}`, v2.Hello{UID: strings.Repeat("\x00", v2.MaxName), Channel: "c"}},
		"as long as a hello may be":    {`{"uid":"alice","channel":"chan"}` + strings.Repeat(" ", v2.MaxHello-32), alice},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := v2.ParseHello([]byte(c.text))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestHelloThatIsRefused(t *testing.T) {
	tooLong := strings.Repeat("n", v2.MaxName+1)
	const notOne = "hello refused: it is not one JSON object"
	const notAny = "hello refused: it is not a JSON object"
	for name, c := range map[string]struct {
		text   string
		code   int
		reason string
	}{
		"nothing":                  {"", 1008, notOne},
		"white space":              {"  ", 1008, notOne},
		"no JSON":                  {"hello", 1008, notOne},
		"single quotes":            {`{'uid':'u','channel':'c'}`, 1008, notOne},
		"cut short":                {`{"uid":"u","channel":"c"`, 1008, notOne},
		"comma at the end":         {`{"uid":"u","channel":"c",}`, 1008, notOne},
		"bytes after":              {`{"uid":"u","channel":"c"}x`, 1008, notOne},
		"an object after":          {`{"uid":"u","channel":"c"}{}`, 1008, notOne},
		"NUL after":                {"{\"uid\":\"u\",\"channel\":\"c\"}\x00", 1008, notOne},
		"byte order mark":          {"\ufeff" + `{"uid":"u","channel":"c"}`, 1008, notOne},
		"raw control character":    {"{\"uid\":\"a\tb\",\"channel\":\"c\"}", 1008, notOne},
		"raw NUL":                  {"{\"uid\":\"a\x00\",\"channel\":\"c\"}", 1008, notOne},
		"array":                    {`["u","c"]`, 1008, notAny},
		"array of three":           {`["u","c",null]`, 1008, notAny}, // the reference takes this one
		"text":                     {`"u"`, 1008, notAny},
		"null":                     {`null`, 1008, notAny},
		"number":                   {`7`, 1008, notAny},
		"no members":               {`{}`, 1008, "hello refused: uid is missing"},
		"no uid":                   {`{"channel":"c"}`, 1008, "hello refused: uid is missing"},
		"no channel":               {`{"uid":"u"}`, 1008, "hello refused: channel is missing"},
		"uid misspelt":             {`{"Uid":"u","channel":"c"}`, 1008, "hello refused: uid is missing"},
		"channel misspelt":         {`{"uid":"u","CHANNEL":"c"}`, 1008, "hello refused: channel is missing"},
		"folded like a letter":     {`{"uid":"u","\u212ahannel":"c"}`, 1008, "hello refused: channel is missing"},
		"uid within":               {`{"x":{"uid":"u"},"channel":"c"}`, 1008, "hello refused: uid is missing"},
		"uid null":                 {`{"uid":null,"channel":"c"}`, 1008, "hello refused: uid is not text"},
		"uid number":               {`{"uid":1,"channel":"c"}`, 1008, "hello refused: uid is not text"},
		"channel array":            {`{"uid":"u","channel":["c"]}`, 1008, "hello refused: channel is not text"},
		"auth number":              {`{"uid":"u","channel":"c","auth":12}`, 1008, "hello refused: auth is not text"},
		"auth object":              {`{"uid":"u","channel":"c","auth":{}}`, 1008, "hello refused: auth is not text"},
		"uid twice":                {`{"uid":"u","uid":"u","channel":"c"}`, 1008, "hello refused: uid stands twice"},
		"uid twice, once escaped":  {`{"uid":"u","\u0075id":"v","channel":"c"}`, 1008, "hello refused: uid stands twice"},
		"channel twice":            {`{"channel":"c","uid":"u","channel":"d"}`, 1008, "hello refused: channel stands twice"},
		"auth twice":               {`{"uid":"u","channel":"c","auth":"1","auth":"1"}`, 1008, "hello refused: auth stands twice"},
		"auth null, then text":     {`{"uid":"u","channel":"c","auth":null,"auth":"1"}`, 1008, "hello refused: auth stands twice"},
		"auth text, then null":     {`{"uid":"u","channel":"c","auth":"1","auth":null}`, 1008, "hello refused: auth stands twice"},
		"auth null twice":          {`{"uid":"u","channel":"c","auth":null,"auth":null}`, 1008, "hello refused: auth stands twice"},
		"uid empty":                {`{"uid":"","channel":"c"}`, 1008, "hello refused: uid is empty"},
		"channel empty":            {`{"uid":"u","channel":""}`, 1008, "hello refused: channel is empty"},
		"uid too long":             {`{"uid":"` + tooLong + `","channel":"c"}`, 1008, "hello refused: uid is longer than 1024 bytes"},
		"channel too long":         {`{"uid":"u","channel":"` + tooLong + `"}`, 1008, "hello refused: channel is longer than 1024 bytes"},
		"high half of a pair":      {`{"uid":"\ud800","channel":"c"}`, 1008, "hello refused: uid has half a surrogate pair"},
		"low half of a pair":       {`{"uid":"u","channel":"a\udc00"}`, 1008, "hello refused: channel has half a surrogate pair"},
		"halves in wrong order":    {`{"uid":"\udc00\ud800","channel":"c"}`, 1008, "hello refused: uid has half a surrogate pair"},
		"high half, other escape":  {`{"uid":"\ud800\n","channel":"c"}`, 1008, "hello refused: uid has half a surrogate pair"},
		"half in a member's name":  {`{"uid":"u","channel":"c","\ud800":1}`, 1008, "hello refused: it has half a surrogate pair in a member's name"},
		"name not UTF-8":           {"{\"uid\":\"\xff\",\"channel\":\"c\"}", 1007, "text is not UTF-8"},
		"unknown member not UTF-8": {"{\"uid\":\"u\",\"channel\":\"c\",\"x\":\"\xc0\x80\"}", 1007, "text is not UTF-8"},
		"surrogate as UTF-8":       {"{\"uid\":\"\xed\xa0\x80\",\"channel\":\"c\"}", 1007, "text is not UTF-8"},
		"one byte too long":        {`{"uid":"alice","channel":"chan"}` + strings.Repeat(" ", v2.MaxHello-31), 1009, "too big"},
	} {
		t.Run(name, func(t *testing.T) {
			h, err := v2.ParseHello([]byte(c.text))
			if err == nil {
				t.Fatalf("joined as %+v", h)
			}
			code, reason := v2.CloseFor(err)
			if code != c.code || reason != c.reason {
				t.Errorf("closes with %d %q, want %d %q", code, reason, c.code, c.reason)
			}
			if len(reason) > 123 {
				t.Errorf("reason %q has %d bytes", reason, len(reason))
			}
			if refused := errors.Is(err, v2.ErrHello); refused != (code == 1008) {
				t.Errorf("errors.Is(%v, ErrHello) = %v", err, refused)
			}
		})
	}
}

func TestRefusalsTellNoSecrets(t *testing.T) {
	for _, text := range []string{
		`{"uid":"swordfish","channel":"swordfish","auth":"swordfish","auth":"swordfish"}`,
		`{"uid":"swordfish","channel":1,"auth":"swordfish"}`,
		`{"uid":"swordfish","swordfish":"\ud800","channel":"swordfish\ud800"}`,
		`{"uid":"swordfish"} swordfish`,
	} {
		_, err := v2.ParseHello([]byte(text))
		if err == nil || strings.Contains(err.Error(), "swordfish") {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := v2.ParseAuth("swordfish"); strings.Contains(err.Error(), "swordfish") {
		t.Error(err)
	}
}

func TestHelloAsWritten(t *testing.T) {
	for _, c := range []struct {
		hello v2.Hello
		want  string
	}{
		{v2.Hello{UID: "alice", Channel: "chan"}, `{"uid":"alice","channel":"chan"}`},
		{v2.Hello{UID: "alice", Channel: "chan", Auth: "00ff", HasAuth: true}, `{"uid":"alice","channel":"chan","auth":"00ff"}`},
		{v2.Hello{UID: "<a&b>\u2028", Channel: "日本\x7f"}, "{\"uid\":\"<a&b>\u2028\",\"channel\":\"日本\x7f\"}"},
		{v2.Hello{UID: "\"\\/\n\r\t\x00\x1f", Channel: "\xff"}, `{"uid":"\"\\/\n\r\t\u0000\u001f","channel":"` + "\ufffd" + `"}`},
	} {
		if got := string(c.hello.Append(nil)); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

func TestNoticesAreReadBack(t *testing.T) {
	long := strings.Repeat("\x01", v2.MaxName) // six bytes each when written
	for _, names := range [][2]string{{"alice", "chan"}, {"", ""}, {long, long}, {"Æ\"\n", "日本"}} {
		text := v2.AppendNotice(nil, names[0], names[1])
		uid, channel, ok := v2.ParseNotice(text)
		if !ok || uid != names[0] || channel != names[1] {
			t.Errorf("%.40s… read as %.10q %.10q %v", text, uid, channel, ok)
		}
	}
}

func TestNoticesOfTheReferenceKeepTheirAuthToThemselves(t *testing.T) {
	uid, channel, ok := v2.ParseNotice([]byte(`{"uid":"alice","channel":"chan","auth":"30eaa73873f27ef9","x":1}`))
	if uid != "alice" || channel != "chan" || !ok {
		t.Error(uid, channel, ok)
	}
	for _, text := range []string{"", "hello", "{}", "[]", `{"uid":"alice"}`, "\xff", `{"uid":1,"channel":"c"}`,
		`{"uid":"` + strings.Repeat("n", v2.MaxName+1) + `","channel":"c"}`,
		`{"uid":"u","channel":"c","x":"` + strings.Repeat("x", 17<<10) + `"}`} {
		if uid, channel, ok := v2.ParseNotice([]byte(text)); ok {
			t.Errorf("%.40q read as the notice of %q on %q", text, uid, channel)
		}
	}
}
