package control

import (
	"encoding/json"
	"io"
	"net/http"
	"unicode/utf8"

	"mles/bridge"
)

// An Event is one line of GET /channels/{channel}/history, as JSON.
type Event struct {
	Dialect string `json:"dialect"`        // that it came in: "v1", "v1ws", "v2"
	UID     string `json:"uid"`            // "" also where the event cannot be read
	Join    bool   `json:"join,omitempty"` // the uid arrived
	// Frame is what v2 members get of a message: "text" or "binary"; "": they get none.
	Frame string `json:"frame,omitempty"`
	// Text is the message where it is UTF-8, whatever it was sent as; else Base64 is. Neither is there for an arrival
	// that says nothing.
	Text   *string `json:"text,omitempty"`
	Base64 []byte  `json:"base64,omitempty"`
	// Unreadable is a frame of v1, with its header, that cannot be read, and that v1 members over TCP alone get.
	Unreadable []byte `json:"unreadable,omitempty"`
}

// history writes what a channel remembers, a line for each event, oldest first.
func (r *Routes) history(w http.ResponseWriter, req *http.Request, channel string) {
	events, ok := r.Gateway.History(channel)
	if !ok {
		noChannel(w, channel)
		return
	}
	r.Log.Info("history read", "client", req.RemoteAddr, "channel", channel, "events", len(events))
	harmless(w, "application/x-ndjson")
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for i := range events {
		if err := enc.Encode(eventOf(&events[i])); err != nil {
			return // who hangs up misses the rest
		}
	}
}

func eventOf(e *bridge.Remembered) Event {
	line := Event{Dialect: e.Dialect, UID: e.UID, Join: e.Join, Unreadable: e.Frame}
	if e.Message == nil {
		return line
	}
	if line.Frame = "binary"; e.Text {
		line.Frame = "text"
	}
	if utf8.Valid(e.Message) {
		text := string(e.Message)
		line.Text = &text
	} else {
		line.Base64 = e.Message
	}
	return line
}

// readBody reads a message.
func readBody(w http.ResponseWriter, req *http.Request) ([]byte, error) {
	return io.ReadAll(http.MaxBytesReader(w, req.Body, maxBody))
}
