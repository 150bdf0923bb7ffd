package bridge

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"net/http"

	"mles/v2"
)

// gatewayHeader is by what two gateways know each other when one is the other's
// v2 upstream: it stands in the request and in the answer, with the identity of
// whoever sends it. Then either tells the other of arrivals as they happen; see
// mapping.md, "Upstream v2".
const gatewayHeader = "Mles-Gateway"

// identityBytes is the length of an identity before it is written in hex.
const identityBytes = 16

// newIdentity makes what a gateway goes by among gateways, for as long as its
// process lives. Clients are never told it.
func newIdentity() string {
	var b [identityBytes]byte
	rand.Read(b[:]) // never fails, as of Go 1.24
	return hex.EncodeToString(b[:])
}

// identityIn returns the identity in a request's or an answer's header; "": it is
// not a gateway's.
func identityIn(h http.Header) string {
	id := h.Get(gatewayHeader)
	if b, err := hex.DecodeString(id); err != nil || len(b) != identityBytes {
		return ""
	}
	return id
}

// appendArrival appends the text by which the gateway of that identity tells
// another of an arrival: a join notice with the identity in it. A client cannot say
// the same, as it does not know that.
func appendArrival(dst []byte, uid, channel, identity string) []byte {
	dst = v2.AppendNotice(dst, uid, channel)
	dst = append(dst[:len(dst)-1], `,"gateway":"`...)
	dst = append(dst, identity...)
	return append(dst, `"}`...)
}

// opGateway is the Op of an arrival that is another gateway's own, at a server that
// tells of arrivals in its history only. It is told here again with each replay, so
// that it comes round where there is a circle.
const opGateway = 0x20

// appendGatewayHello makes a hello known as a gateway's to others of its kind who
// find it in the history of an old server, which keeps it as it came.
func appendGatewayHello(dst []byte, h v2.Hello) []byte {
	dst = h.Append(dst)
	return append(dst[:len(dst)-1], `,"gateway":true}`...)
}

// isGatewayHello says whether a text that is a hello is a gateway's.
func isGatewayHello(text []byte) bool { return bytes.HasSuffix(text, []byte(`,"gateway":true}`)) }

// parseArrival reads such a text of the gateway of that identity.
func parseArrival(text []byte, identity string) (uid string, ok bool) {
	if identity == "" || !isArrival(text, identity) {
		return "", false
	}
	uid, _, ok = v2.ParseNotice(text)
	return uid, ok
}

// isArrival does so without looking at the names.
func isArrival(text []byte, identity string) bool {
	rest, ok := bytes.CutSuffix(text, []byte(`"}`))
	if !ok {
		return false
	}
	if rest, ok = bytes.CutSuffix(rest, []byte(identity)); !ok {
		return false
	}
	return bytes.HasSuffix(rest, []byte(`,"gateway":"`))
}
