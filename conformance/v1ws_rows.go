package conformance

// deedsV1WS are the rows of clients of v1 over WebSocket.
func deedsV1WS() []deedWS {
	const asSent, asBody, asBinary = "the body byte for byte behind a header", "the body byte for byte", "its message as one binary frame"
	return []deedWS{{
		name: "v1ws-join", says: "A v1 WebSocket client joins with an empty message", first: true, notice: true,
		onV1: asSent, onWS: asBody, onV2: "a join notice of it",
		run: func(alice *V1WSSeat) told { return alice.tells("") },
	}, {
		name: "v1ws-join-with-message", says: "A v1 WebSocket client joins with a message", first: true, notice: true,
		onV1: asSent, onWS: asBody, onV2: "a join notice of it, then the message as a binary frame",
		run: func(alice *V1WSSeat) told {
			join := told{v2: []heard{heardJoin("alice", alice.Channel)}}
			return join.and(alice.tells("here I am"))
		},
	}, {
		name: "v1ws-message", says: "A v1 WebSocket client sends a message", onV1: asSent, onWS: asBody, onV2: asBinary,
		run: func(alice *V1WSSeat) told { return alice.tells("to whom \x00\xff it may concern") },
	}, {
		name: "v1ws-empty-later", says: "A v1 WebSocket client sends an empty message under another uid", notice: true,
		onV1: asSent, onWS: asBody, onV2: "a join notice with the uid of the body",
		run: func(alice *V1WSSeat) told { return alice.tellsAs("ben", "") },
	}, {
		name: "v1ws-other-uid", says: "A v1 WebSocket client sends a message under another uid", onV1: asSent, onWS: asBody, onV2: asBinary,
		run: func(alice *V1WSSeat) told { return alice.tellsAs("ben", "on behalf of ben") },
	}, {
		name: "v1ws-other-form", says: "A v1 WebSocket client sends a message in a body of another form: an array of text and integers",
		onV1: asSent, onWS: asBody, onV2: asBinary,
		run: func(alice *V1WSSeat) told {
			body := "\x9f" + "\x65alice" + string(Text(alice.Channel)) + "\x83\x18\x68\x00\x18\xff\xff"
			alice.SendBody(body)
			return told{[][]byte{alice.headed("alice", alice.Channel, body)}, []heard{heardBinary("h\x00\xff")}}
		},
	}, {
		name: "v1ws-fragments", says: "A v1 WebSocket client sends a body in three fragments with a ping between them",
		onV1: asSent, onWS: asBody + " in one frame", onV2: asBinary,
		run: func(alice *V1WSSeat) told {
			body := alice.Body("in three parts")
			alice.SendFrame(OpBinary, body[:10])
			alice.SendFrame(OpContinuation, body[10:30])
			alice.SendPing("not for others")
			alice.ExpectFrame(Fin|OpPong, "not for others")
			alice.SendFrame(Fin|OpContinuation, body[30:])
			return told{[][]byte{alice.headed("alice", alice.Channel, body)}, []heard{heardBinary("in three parts")}}
		},
	}, {
		name: "v1ws-like-a-notice", says: "A v1 WebSocket client sends a message that reads like a join notice",
		onV1: asSent, onWS: asBody, onV2: "it as binary, not as text",
		run: func(alice *V1WSSeat) told { return alice.tells(HelloText("ben", alice.Channel, "")) },
	}}
}
