package conformance

func v1FramingCases() []Case {
	return []Case{{
		ID: "v1/framing/byte-by-byte", Section: "v1/spec.md#frame", Needs: V1,
		Says: "A frame that comes byte by byte is forwarded like any other, as one frame and byte for byte.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V1("alice"), room.V1("bob")
			frame := alice.Msg("slow but sure")
			alice.SendIn(1, frame)
			bob.ExpectFrame(frame)
			room.Quiet()
		},
	}, {
		ID: "v1/framing/bad-magic-later", Section: "v1/spec.md#errors", Needs: V1,
		Says: "A later frame that does not begin with M closes its connection without a word; the frames before it count, it reaches nobody.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob, carol := room.V1("alice"), room.V1("bob"), room.V1("carol")
			good, bad := alice.Msg("good"), alice.Msg("bad")
			bad[0] = 'm'
			alice.Send(good, bad)
			bob.ExpectFrame(good)
			carol.ExpectFrame(good)
			alice.ExpectClosed()
			room.Leave(alice)
			room.Quiet()
		},
	}}
}
