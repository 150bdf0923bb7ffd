package main

import "testing"

func TestJoinNotice(t *testing.T) {
	for text, uid := range map[string]string{
		`{"uid":"bob","channel":"hall"}`:                  "bob",
		` { "channel" : "hall" , "uid" : "\u0062ob" } `:   "bob",
		`{"uid":"bob","channel":"hall","auth":"0123"}`:    "bob", // 2.9.4 replays hellos
		`{"uid":"bob","channel":"x","auth":"0123","y":1}`: "bob", // never to be shown
		`{"uid":"bob","channel":"room"}`:                  "",    // what somebody said
		`{"uid":"bob","channel":"hall","temperature":21}`: "",
		`{"uid":"bob"}`:         "",
		`["bob","hall"]`:        "",
		`bob joined`:            "",
		``:                      "",
		`{"uid":1,"channel":2}`: "",
	} {
		got, ok := joinNotice([]byte(text), "hall")
		if ok != (uid != "") || ok && got != uid {
			t.Errorf("%s: %q, %v; want %q", text, got, ok, uid)
		}
	}
}
