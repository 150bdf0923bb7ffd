package conformance

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// Names says what the set holds: "v1 v2 key", "v1 slow".
func (n Needs) Names() []string {
	names := []string{}
	for i, name := range []string{"v1", "v2", "v1ws", "key", "no key", "slow", "hostile"} {
		if n&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

// WriteList writes what the cases are, for people.
func WriteList(w io.Writer, cases []Case) error {
	b := &strings.Builder{}
	for _, c := range cases {
		fmt.Fprintf(b, "%s\n    %s, %s; needs %s\n    %s\n", c.ID, c.Level, c.Section, strings.Join(c.Needs.Names(), ", "), c.Says)
	}
	fmt.Fprintf(b, "%d cases\n", len(cases))
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteListJSON writes the same as one JSON object whose cases is a list.
func WriteListJSON(w io.Writer, cases []Case) error {
	type listed struct {
		ID      string   `json:"id"`
		Suite   string   `json:"suite"`
		Section string   `json:"section"`
		Level   string   `json:"level"`
		Says    string   `json:"says"`
		Needs   []string `json:"needs"`
	}
	list := make([]listed, 0, len(cases))
	for _, c := range cases {
		list = append(list, listed{c.ID, c.Suite(), c.Section, c.Level.String(), c.Says, c.Needs.Names()})
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(map[string]any{"cases": list})
}
