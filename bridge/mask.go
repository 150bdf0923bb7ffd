package bridge

import (
	"sync"

	"mles/bridge/bus"
	"mles/v1"
	"mles/v2"
)

// masks takes the mask of mles-webproxy off for v1 WebSocket members that are on
// masked channels. It knows those that have such members.
type masks struct {
	counters *counters

	mu   sync.RWMutex
	used map[string]*maskUse // by masked name
}

// A maskUse is a mask and how many members need it.
type maskUse struct {
	mask *v1.Mask
	n    int
}

func newMasks(c *counters) *masks { return &masks{counters: c, used: make(map[string]*maskUse)} }

// take returns the mask of a channel, for a member that is about to join. Who has
// left gives it back.
func (k *masks) take(channel string) *v1.Mask {
	mask := v1.NewMask(channel)
	k.mu.Lock()
	defer k.mu.Unlock()
	u := k.used[mask.Masked()]
	if u == nil {
		u = &maskUse{mask: mask}
		k.used[mask.Masked()] = u
	}
	u.n++
	return u.mask
}

func (k *masks) giveBack(mask *v1.Mask) {
	k.mu.Lock()
	defer k.mu.Unlock()
	u := k.used[mask.Masked()]
	if u.n--; u.n == 0 {
		delete(k.used, mask.Masked())
	}
}

func (k *masks) of(masked string) *v1.Mask {
	k.mu.RLock()
	defer k.mu.RUnlock()
	if u := k.used[masked]; u != nil {
		return u.mask
	}
	return nil
}

// unmasked returns an event of a masked channel as it is without the mask, but for
// the message, which is still to be unmasked; that does not change its length. It
// is not ok, and counted where that is wanted, if there is none: who said it does
// not know the mask.
func (k *masks) unmasked(channel string, e *bus.Event, count bool) (m v1.Msg, mask *v1.Mask, ok bool) {
	if mask = k.of(channel); mask == nil {
		return m, nil, false // the last who needed it has just left
	}
	m, ok = maskedMsg(channel, e)
	if ok {
		var err error
		m.UID, err = mask.Unname(m.UID)
		ok = err == nil && !tooShort(m.Message)
	}
	if !ok && count {
		k.counters.unmaskable.Add(1)
	}
	m.Channel = mask.Plain()
	return m, mask, ok
}

// append writes what unmasked returns as a v1 WebSocket frame.
func (k *masks) append(dst []byte, channel string, e *bus.Event) []byte {
	m, mask, ok := k.unmasked(channel, e, false)
	if !ok {
		return dst
	}
	dst = v2.AppendFrameHeader(dst, v2.OpBinary, m.Size())
	dst = m.Append(dst)
	if len(m.Message) > 0 { // which stands last, and is unmasked in its place
		at := len(dst) - len(m.Message)
		dst, _ = mask.AppendMessage(dst[:at], dst[at:])
	}
	return dst
}

// maskedMsg is what an event says in v1.
func maskedMsg(channel string, e *bus.Event) (v1.Msg, bool) {
	var body []byte
	switch {
	case unread(e):
		return v1.Msg{}, false
	case e.From == onV1:
		body = e.Data[v1.HeaderLen:]
	case e.From == onV1WS:
		body = e.Data
	default:
		return v1.Msg{UID: e.UID, Channel: channel, Message: e.Message}, true
	}
	m, err := v1.DecodeMsg(body)
	return m, err == nil
}

// tooShort says whether a message has something to say but nothing that could be
// masked. An arrival without a message has nothing to hide.
func tooShort(message []byte) bool { return len(message) > 0 && len(message) <= v1.MaskCounter }

// disguise puts the mask on what a member of the plain channel says. The error is
// one of package v1: ErrMaskShort, where m is without its message then, or
// ErrTooLarge.
func disguise(mask *v1.Mask, m v1.Msg) (v1.Msg, error) {
	masked := v1.Msg{UID: mask.Name(m.UID), Channel: mask.Masked()}
	if len(m.Message) > v1.MaxMessage(masked.UID, masked.Channel) {
		return v1.Msg{}, v1.ErrTooLarge
	}
	if len(m.Message) == 0 {
		return masked, nil
	}
	var err error
	masked.Message, err = mask.AppendMessage(nil, m.Message)
	return masked, err
}

// undisguise takes the mask off what a member of the masked channel says. The error is
// one of package v1: ErrMaskShort, where m is without its message then, or ErrMaskName.
func undisguise(mask *v1.Mask, m v1.Msg) (v1.Msg, error) {
	uid, err := mask.Unname(m.UID)
	if err != nil {
		return v1.Msg{}, err
	}
	plain := v1.Msg{UID: uid, Channel: mask.Plain()}
	if len(m.Message) > 0 {
		plain.Message, err = mask.AppendMessage(nil, m.Message)
	}
	return plain, err
}
