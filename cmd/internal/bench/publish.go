package bench

import (
	"fmt"
	"time"
)

// A publisher sends numbered messages over its link.
type publisher struct {
	t      *trial
	link   *link
	number uint32
	sent   uint64
}

// newPublisher joins as publisher number of channel, and reads what comes to it.
func (t *trial) newPublisher(number int, channel string) (*publisher, error) {
	l, err := t.open(role{target: t.who.Pub, uid: uidOf(number), channel: channel, publishes: true, keep: t.keep})
	if err != nil {
		return nil, err
	}
	t.spawn(func() error {
		// It hears joins and perhaps other publishers, nothing that counts.
		deaf := &inbox{tag: t.tag ^ 1, size: t.size, channel: channel, open: 1}
		l.receive(deaf, t)
		return nil
	})
	return &publisher{t: t, link: l, number: uint32(number)}, nil
}

// uidOf names a publisher.
func uidOf(number int) string { return fmt.Sprintf("p%06d", number) }

// block is many messages in one piece of memory, written at once.
type block struct {
	bytes  []byte
	each   int // bytes of one frame
	first  int // where in a frame the message begins
	frames int
}

// newBlock fills about n bytes, at least one message.
func (p *publisher) newBlock(n int) *block {
	m := template(p.t.tag, p.number, p.t.size)
	frame, at := p.link.wire.frame(nil, p.link, m)
	b := &block{each: len(frame), first: at, frames: max(1, n/len(frame))}
	for range b.frames {
		b.bytes = append(b.bytes, frame...)
	}
	return b
}

func (b *block) message(i int) []byte { return b.bytes[i*b.each+b.first : (i+1)*b.each] }

// write sends the first n messages of b, all due at the same time; last says that
// nothing follows them.
func (p *publisher) write(b *block, n int, due int64, last bool) error {
	for i := range n {
		stamp(b.message(i), p.sent+uint64(i), due, p.link.mask)
	}
	if last {
		setPublisher(b.message(n-1), p.number|flagLast, p.link.mask)
	}
	_, err := p.link.conn.Write(b.bytes[:n*b.each])
	if err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	p.sent += uint64(n)
	return nil
}

// probe sends a message that only shows who is there.
func (p *publisher) probe() error {
	b := p.newBlock(0)
	setPublisher(b.message(0), p.number|flagProbe, p.link.mask)
	_, err := p.link.conn.Write(b.bytes)
	return err
}

// flood sends as fast as the server takes it: messages in all or, if that is 0,
// for the given time.
func (p *publisher) flood(batch int, messages uint64, lasting time.Duration) error {
	b := p.newBlock(batch)
	for end := time.Now().Add(lasting); messages == 0; {
		if !time.Now().Before(end) {
			return p.write(b, 1, 0, true)
		}
		if err := p.write(b, b.frames, 0, false); err != nil {
			return err
		}
	}
	for p.sent < messages {
		n := int(min(uint64(b.frames), messages-p.sent))
		if err := p.write(b, n, 0, p.sent+uint64(n) == messages); err != nil {
			return err
		}
	}
	return nil
}

// paced sends messages at rate a second, each at its time whatever became of
// those before: an open loop. How late the generator itself was goes to late.
func (p *publisher) paced(rate float64, messages uint64, begin int64, late *recorder) error {
	b := p.newBlock(0)
	for p.sent < messages {
		due := begin + int64(float64(p.sent)*float64(time.Second)/rate)
		sleepUntil(due)
		if p.t.ctx.Err() != nil {
			return p.t.ctx.Err()
		}
		late.record(now() - due)
		if err := p.write(b, 1, due, p.sent+1 == messages); err != nil {
			return err
		}
	}
	return nil
}
