package bridge

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"

	"mles/bridge/bus"
)

// What Config.HistoryLimit may say besides a number of events.
const (
	// DefaultHistoryLimit is how many events a channel remembers unless told
	// otherwise, in all dialects together.
	DefaultHistoryLimit = 200
	// NoHistory stores nothing.
	NoHistory = -1
)

// A JoinMode says when v2 members are told of arrivals.
type JoinMode int

const (
	// JoinsHistory puts join notices into the history that a v2 member is
	// sent when it joins, as mles 2.9.4 does.
	JoinsHistory JoinMode = iota
	// JoinsLive sends them as they happen too, as mles 2.0 to 2.4 did.
	JoinsLive
	// JoinsOff never sends them.
	JoinsOff
)

var joinModes = map[JoinMode]string{JoinsHistory: "history", JoinsLive: "live", JoinsOff: "off"}

func (m JoinMode) String() string { return joinModes[m] }

// ParseJoinMode reads "history", "live" or "off".
func ParseJoinMode(s string) (JoinMode, error) {
	for m, name := range joinModes {
		if s == name {
			return m, nil
		}
	}
	return 0, fmt.Errorf("join notices are %q, want history, live or off", s)
}

// A MaskMode says what becomes of the mask that mles-webproxy puts on names and
// messages; see mapping.md, "The mask of mles-webproxy".
type MaskMode int

const (
	// MaskOff knows no mask.
	MaskOff MaskMode = iota
	// MaskLink links each channel that is joined over WebSocket to its masked twin.
	MaskLink
	// MaskOnly puts those who speak v1 over WebSocket on the masked channel alone.
	MaskOnly
)

var maskModes = map[MaskMode]string{MaskOff: "off", MaskLink: "link", MaskOnly: "only"}

func (m MaskMode) String() string { return maskModes[m] }

// ParseMaskMode reads "off", "link" or "only".
func ParseMaskMode(s string) (MaskMode, error) {
	for m, name := range maskModes {
		if s == name {
			return m, nil
		}
	}
	return 0, fmt.Errorf("the mask of mles-webproxy is %q, want off, link or only", s)
}

// Config says what a gateway accepts and how it is bounded. The zero value
// serves both dialects without a shared key.
type Config struct {
	// V1Keys and V2Keys are the shared keys that each dialect accepts. The
	// first v1 key that opens a channel is used in the headers made there for
	// members of other dialects. Without any, v1 clients are known by their
	// address, and v2 clients need no auth.
	V1Keys, V2Keys []string
	// V1KeyLines and V2KeyLines say which line of a file each of these keys
	// stands in, counted from 1, 0 where it is in none, so that [Member] can
	// tell who still uses an old one; nil: the key's place in the list.
	V1KeyLines, V2KeyLines []int
	// V1KeyScopes and V2KeyScopes say what each of these keys opens; nil: each opens
	// everything. One key may stand in the list several times, and opens what any of
	// its scopes does.
	V1KeyScopes, V2KeyScopes []Scope
	// AddrKey is hashed behind a v1 client's address (MLES_ADDR_KEY).
	AddrKey string
	// V1AddressKeys accepts addresses beside a shared key.
	V1AddressKeys bool
	// V1WebSocket serves v1 over WebSocket where v2 is served: the first frame
	// tells them apart. It carries no credential, so whoever connects gets in,
	// V1Keys or not.
	V1WebSocket bool
	// V1Channels and V2Channels are patterns (see [CheckGlob]) of the channels
	// that the clients of each dialect may join; none: all.
	V1Channels, V2Channels []string
	// Origins are the pages that may open WebSockets in a browser, by the header Origin:
	// [OriginsAny] and the words beside it, or origins; see [CheckOrigin]. None: any. A
	// request without that header is no page's, and may.
	Origins []string
	// V1ReadOnly publishes nothing that v1 clients say: they join, which the
	// others are told of, and read.
	V1ReadOnly bool
	// WebproxyMask says what becomes of the mask of mles-webproxy.
	WebproxyMask MaskMode
	// V2Joins says when v2 members are told of arrivals.
	V2Joins JoinMode
	// Upstreams are servers that every channel with members is connected to.
	Upstreams []Upstream
	// HistoryLimit is how many events a channel remembers; 0 means
	// DefaultHistoryLimit, NoHistory none.
	HistoryLimit int
	// MemoryLimit bounds in bytes what the process may take; the gateway's own
	// budget is a part of it. 0: half of the machine's or cgroup's memory.
	MemoryLimit int64
	// MaxConnections bounds the connections on all listeners together. 0: as
	// many as the limit on file descriptors allows. Never more than idle ones
	// fit into three quarters of the budget.
	MaxConnections int
	// RateLimit is how many connections the clients of one address may open in a
	// time, on all listeners together, IPv6 addresses by networks of 64 bits.
	// Others are closed before anything is read, or answered 429 where a trusted
	// proxy asks for them. The zero value: any number.
	RateLimit Rate
	// PerIPLimit is how many they may have open at once; 0: any number.
	PerIPLimit int
	// LimitExempt are networks whose clients neither is for.
	LimitExempt []netip.Prefix
	// TrustedProxies are networks of proxies whose X-Forwarded-For tells whose a
	// request is: the last address in it that is not in these networks itself.
	TrustedProxies []netip.Prefix
	// ProxyProtocol says where connections begin with a header of the PROXY protocol,
	// version 1 or 2, which tells whose they are, and from which networks: those
	// without are refused. From all others connections are taken as they are.
	ProxyProtocol map[Service][]netip.Prefix
	// Witness is told who joins and leaves; nil: nobody is.
	Witness Witness
	// Restore, if set, is called once by New, before anything else happens on a channel: it
	// gives put what was saved of each channel by [Gateway.SaveHistories]. See
	// [bus.Bus.Restore].
	Restore func(put func(*bus.Change) error)
	// Logger takes the gateway's log; nil: slog.Default(). Keys, auths and
	// messages never stand in it.
	Logger *slog.Logger
	// Site answers requests that are no WebSocket upgrade, and those that it
	// claims if it is an [Upgrader]; nil: 426. RemoteAddr is their client's address,
	// as TrustedProxies tell it, and X-Forwarded-Proto is left only as set by these.
	Site http.Handler
}

// Check says what does not fit in c; see [New] and [Gateway.Reconfigure].
func (c Config) Check() error {
	c.Logger = slog.New(slog.DiscardHandler)
	_, err := c.withDefaults()
	return err
}

// withDefaults checks c and fills in what was left open.
func (c Config) withDefaults() (Config, error) {
	for _, keys := range [][]string{c.V1Keys, c.V2Keys} {
		for _, key := range keys {
			if key == "" {
				return c, errors.New("bridge: an empty shared key protects nothing; leave it out to need none")
			}
		}
	}
	if wrongLines(c.V1Keys, c.V1KeyLines) || wrongLines(c.V2Keys, c.V2KeyLines) {
		return c, errors.New("bridge: there are not as many lines of keys as keys")
	}
	for _, scopes := range []struct{ keys, scopes int }{
		{len(c.V1Keys), len(c.V1KeyScopes)}, {len(c.V2Keys), len(c.V2KeyScopes)},
	} {
		if scopes.scopes != 0 && scopes.scopes != scopes.keys {
			return c, errors.New("bridge: there are not as many scopes of keys as keys")
		}
	}
	for _, scope := range slices.Concat(c.V1KeyScopes, c.V2KeyScopes) {
		if err := scope.Check(); err != nil {
			return c, fmt.Errorf("bridge: scope of a key: %w", err)
		}
	}
	for _, pattern := range slices.Concat(c.V1Channels, c.V2Channels) {
		if err := CheckGlob(pattern); err != nil {
			return c, fmt.Errorf("bridge: channels: %w", err)
		}
	}
	for _, origin := range c.Origins {
		if err := CheckOrigin(origin); err != nil {
			return c, fmt.Errorf("bridge: origins: %w", err)
		}
	}
	for _, up := range c.Upstreams {
		if err := up.check(); err != nil {
			return c, fmt.Errorf("bridge: upstream %w", err)
		}
	}
	if joinModes[c.V2Joins] == "" {
		return c, fmt.Errorf("bridge: unknown join mode %d", c.V2Joins)
	}
	if maskModes[c.WebproxyMask] == "" {
		return c, fmt.Errorf("bridge: unknown mask mode %d", c.WebproxyMask)
	}
	if c.WebproxyMask == MaskOnly && !c.V1WebSocket {
		return c, errors.New("bridge: the mask is only for v1 over WebSocket, which is not served")
	}
	switch {
	case c.HistoryLimit == NoHistory:
		c.HistoryLimit = 0
	case c.HistoryLimit == 0:
		c.HistoryLimit = DefaultHistoryLimit
	case c.HistoryLimit < 0:
		return c, fmt.Errorf("bridge: history limit is %d", c.HistoryLimit)
	}
	if c.MemoryLimit < 0 || c.MaxConnections < 0 {
		return c, errors.New("bridge: a limit is negative")
	}
	if err := c.checkAddresses(); err != nil {
		return c, err
	}
	if c.MemoryLimit == 0 {
		if c.MemoryLimit = UsableMemory() / 2; c.MemoryLimit == 0 {
			c.MemoryLimit = unknownMemory / 2
		}
	}
	if c.MaxConnections == 0 {
		c.MaxConnections = descriptors()
		if c.Site != nil {
			c.MaxConnections -= c.MaxConnections / 8 // for files of pages
		}
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if most := connectionsIn(c.MemoryLimit); c.MaxConnections > most {
		c.Logger.Info("connections are bounded by the memory limit", "connections", most, "memory_limit", c.MemoryLimit)
		c.MaxConnections = most
	}
	return c, nil
}

func wrongLines(keys []string, lines []int) bool { return lines != nil && len(lines) != len(keys) }

// connectionsIn is how many connections may be open within a memory limit: idle
// ones may take three quarters of the budget. If they could take all of it, there
// would be nothing to free by cutting anybody, and nobody would be served.
func connectionsIn(memoryLimit int64) int {
	return int(max(1, budgetOf(memoryLimit)/4*3/connectionCost))
}
