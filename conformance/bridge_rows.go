package conformance

import "strings"

// deedsV1 are the rows of v1 clients.
func deedsV1() []deed {
	const asSent = "the frame byte for byte"
	return []deed{{
		name: "v1-join", says: "A v1 client joins with an empty message", first: true, notice: true,
		onV1: "its first frame byte for byte", onV2: "a join notice of it",
		v1: func(alice *V1Conn) told { return alice.enters("alice", alice.Channel) },
	}, {
		name: "v1-join-with-message", says: "A v1 client joins with a message", first: true, notice: true,
		onV1: "its first frame byte for byte", onV2: "a join notice of it, then the message as a binary frame",
		v1: func(alice *V1Conn) told {
			first := alice.Join("alice", alice.Channel, "here I am")
			return told{[][]byte{first}, []heard{heardJoin("alice", alice.Channel), heardBinary("here I am")}}
		},
	}, {
		name: "v1-message", says: "A v1 client sends a message", onV1: asSent, onV2: "its bytes as one binary frame",
		v1: func(alice *V1Conn) told {
			return told{[][]byte{alice.Say("to whom it may concern")}, []heard{heardBinary("to whom it may concern")}}
		},
	}, {
		name: "v1-empty-later", notice: true, says: "A v1 client sends an empty message under another uid, as a peer does for each of its clients",
		onV1: asSent, onV2: "a join notice with the uid of the frame",
		v1: func(alice *V1Conn) told {
			frame := alice.Frame("ben", alice.Channel, "")
			alice.Send(frame)
			return told{[][]byte{frame}, []heard{heardJoin("ben", alice.Channel)}}
		},
	}, {
		name: "v1-other-uid", says: "A v1 client sends a message under another uid", onV1: asSent, onV2: "the message as binary",
		v1: func(alice *V1Conn) told {
			frame := alice.Frame("ben", alice.Channel, "on behalf of ben")
			alice.Send(frame)
			return told{[][]byte{frame}, []heard{heardBinary("on behalf of ben")}}
		},
	}, {
		name: "v1-other-channel", says: "A v1 client sends a message whose body names another channel", onV1: asSent, onV2: "the message as binary",
		v1: func(alice *V1Conn) told {
			frame := alice.Frame("alice", "elsewhere", "where am I?")
			alice.Send(frame)
			return told{[][]byte{frame}, []heard{heardBinary("where am I?")}}
		},
	}, {
		name: "v1-empty-other-channel", notice: true, says: "A v1 client sends an empty message whose body names another channel",
		onV1: asSent, onV2: "a join notice with the channel that its connection joined",
		v1: func(alice *V1Conn) told {
			frame := alice.Frame("ben", "elsewhere", "")
			alice.Send(frame)
			return told{[][]byte{frame}, []heard{heardJoin("ben", alice.Channel)}}
		},
	}, {
		name: "v1-other-header", says: "A v1 client sends a message under a CID and a key that are nobody's", onV1: asSent, onV2: "the message as binary",
		v1: func(alice *V1Conn) told {
			frame := Frame(0, 1<<64-1, Map3("alice", alice.Channel, "number 2^64-1"))
			alice.Send(frame)
			return told{[][]byte{frame}, []heard{heardBinary("number 2^64-1")}}
		},
	}, {
		name: "v1-undecodable", says: "A v1 client sends a body that does not decode, and then a message",
		onV1: "both frames byte for byte", onV2: "the message as binary and nothing of the other",
		v1: func(alice *V1Conn) told { return alice.tellsBehind(Frame(1, 2, []byte("\xa3\x63uid\xff"))) },
	}, {
		name: "v1-long-uid", says: "A v1 client sends a uid of 1,025 bytes, which counts as not decodable, and then a message",
		onV1: "both frames byte for byte", onV2: "the message as binary and nothing of the other",
		v1: func(alice *V1Conn) told {
			return alice.tellsBehind(alice.Frame(strings.Repeat("u", 1025), alice.Channel, "of whom?"))
		},
	}, {
		name: "v1-resync-later", says: "A v1 client sends a ResyncMsg that is not its first frame, and then a message",
		onV1: "both frames byte for byte", onV2: "the message as binary and nothing of the other",
		v1: func(alice *V1Conn) told {
			return alice.tellsBehind(Frame(1, 2, Resync(alice.Frame("ben", alice.Channel, "ignore me"))))
		},
	}, {
		name: "v1-like-a-notice", says: "A v1 client sends a message that reads like a join notice", onV1: asSent, onV2: "it as binary, not as text",
		v1: func(alice *V1Conn) told { return alice.tells(HelloText("ben", alice.Channel, "")) },
	}}
}

// tellsBehind sends a frame that v2 members get nothing of, and a message that
// they get.
func (c *V1Conn) tellsBehind(frame []byte) told {
	c.Send(frame)
	return told{v1: [][]byte{frame}}.and(c.tells("I am still here"))
}

// deedsV2 are the rows of v2 clients.
func deedsV2() []deed {
	const asFrame = "a frame with its uid, the channel and the payload under a header made for it"
	return []deed{{
		name: "v2-join", says: "A v2 client joins", first: true, notice: true,
		onV1: "a frame with its uid, the channel and an empty message", onV2: "a join notice of it",
		v2: func(alice *V2Conn) told {
			alice.Hello("alice", alice.Channel)
			return told{[][]byte{alice.made("")}, []heard{heardJoin("alice", alice.Channel)}}
		},
	}, {
		name: "v2-text", says: "A v2 client sends text", onV1: asFrame, onV2: "the same text",
		v2: func(alice *V2Conn) told {
			alice.SendText("text, tøø")
			return told{[][]byte{alice.made("text, tøø")}, []heard{heardText("text, tøø")}}
		},
	}, {
		name: "v2-binary", says: "A v2 client sends binary", onV1: asFrame, onV2: "the same binary",
		v2: func(alice *V2Conn) told {
			alice.SendBinary("\x00binary\xff")
			return told{[][]byte{alice.made("\x00binary\xff")}, []heard{heardBinary("\x00binary\xff")}}
		},
	}, {
		name: "v2-empty", says: "A v2 client sends an empty binary message and an empty text",
		onV1: "two frames with its uid, the channel and an empty message", onV2: "both, each with its opcode and as no join notice",
		v2: func(alice *V2Conn) told {
			alice.SendBinary("")
			alice.SendText("")
			return told{[][]byte{alice.made(""), alice.made("")}, []heard{heardBinary(""), heardText("")}}
		},
	}, {
		name: "v2-fragments", says: "A v2 client sends text in three fragments with a ping between them", onV1: asFrame, onV2: "the same text in one frame",
		v2: func(alice *V2Conn) told {
			alice.SendFrame(OpText, "in ")
			alice.SendFrame(OpContinuation, "three ")
			alice.SendPing("not for others")
			alice.SendFrame(Fin|OpContinuation, "parts")
			return told{[][]byte{alice.made("in three parts")}, []heard{heardText("in three parts")}}
		},
	}, {
		name: "v2-like-a-frame", says: "A v2 client sends a payload that is a v1 frame", onV1: "a frame with its uid and channel around the whole of it", onV2: "the same binary",
		v2: func(alice *V2Conn) told {
			inner := string(Frame(1, 2, Map3("ben", alice.Channel, "not of ben")))
			alice.SendBinary(inner)
			return told{[][]byte{alice.made(inner)}, []heard{heardBinary(inner)}}
		},
	}, {
		name: "v2-like-a-hello", says: "A v2 client sends its hello once more, as a message", onV1: asFrame, onV2: "the same text",
		v2: func(alice *V2Conn) told {
			again := HelloText("alice", alice.Channel, "1234")
			alice.SendText(again)
			return told{[][]byte{alice.made(again)}, []heard{heardText(again)}}
		},
	}}
}
