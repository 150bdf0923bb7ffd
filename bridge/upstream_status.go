package bridge

import (
	"cmp"
	"slices"
	"time"
)

// The states of a channel's connection to an upstream.
const (
	stateConnecting = "connecting" // being dialed, or waiting for an upstream before it
	stateSettling   = "settling"   // arrived; what it has to tell is compared with what is known
	stateRunning    = "running"    // passes on what is said
	stateWaiting    = "waiting"    // failed, to be tried again; or not needed
	stateRefused    = "refused"    // refused by the server or because of a loop; tried again too
)

// UpstreamStates returns all states that [UpstreamStatus] can tell.
func UpstreamStates() []string {
	return []string{stateConnecting, stateSettling, stateRunning, stateWaiting, stateRefused}
}

// UpstreamStatus is one channel's connection to one upstream.
type UpstreamStatus struct {
	URL     string
	Channel string
	State   string    // connecting, settling, running, waiting, refused
	Since   time.Time // when it came into that state
	Reason  string    // of the last failure; "" if there was none
	// What has gone up and come down since the channel was first connected:
	// frames, and their bytes without what the dialect puts around them.
	MessagesUp, BytesUp, MessagesDown, BytesDown int64
}

// peerState is what a peering is at.
type peerState struct {
	name   string
	since  time.Time
	reason string
}

// become notes what p is at, and why it failed before, if it did.
func (p *peering) become(name string, why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state.name != name {
		p.state.name, p.state.since = name, time.Now()
	}
	if why != nil {
		p.state.reason = why.Error()
	}
}

func (p *peering) status() UpstreamStatus {
	p.mu.Lock()
	defer p.mu.Unlock()
	return UpstreamStatus{
		URL: p.up.URL, Channel: p.room.name, State: p.state.name, Since: p.state.since, Reason: p.state.reason,
		MessagesUp: p.up1.messages.Load(), BytesUp: p.up1.bytes.Load(),
		MessagesDown: p.down1.messages.Load(), BytesDown: p.down1.bytes.Load(),
	}
}

// count fills in what Stats tells of upstreams.
func (u *upstreams) count(st *Stats) {
	st.Upstream = make(map[string]int64)
	u.mu.Lock()
	for _, r := range u.rooms {
		for _, p := range r.peerings {
			if p.active {
				st.Upstream[p.status().State]++
			}
		}
	}
	u.mu.Unlock()
	st.UpstreamMessages = map[string]int64{"up": u.up.messages.Load(), "down": u.down.messages.Load()}
	st.UpstreamBytes = map[string]int64{"up": u.up.bytes.Load(), "down": u.down.bytes.Load()}
	st.Loops = u.loops.Load()
}

// UpstreamStatus tells how each channel that has members, or is held, is connected
// to each upstream, by upstream and channel.
func (g *Gateway) UpstreamStatus() []UpstreamStatus {
	u := g.upstreams
	u.mu.Lock()
	var all []UpstreamStatus
	for _, r := range u.rooms {
		for _, p := range r.peerings {
			if p.active {
				all = append(all, p.status())
			}
		}
	}
	u.mu.Unlock()
	slices.SortFunc(all, func(a, b UpstreamStatus) int {
		return cmp.Or(cmp.Compare(a.URL, b.URL), cmp.Compare(a.Channel, b.Channel))
	})
	return all
}
