package status

import (
	"time"

	"mles/bridge"
)

// A Document is the answer to GET /status. Times are RFC 3339, sizes bytes.
type Document struct {
	Version       string     `json:"version"`
	Now           time.Time  `json:"now"`
	Started       time.Time  `json:"started"`
	UptimeSeconds float64    `json:"uptime_seconds"`
	Draining      bool       `json:"draining"`
	Listeners     []Listener `json:"listeners"`
	// Certificates are those that clients of TLS are shown, one for each domain.
	Certificates  []Certificate `json:"certificates"`
	Stats         Stats         `json:"stats"`
	Channels      []Channel     `json:"channels"`
	ChannelsNext  string        `json:"channels_next,omitempty"` // for channels_after; empty: these are all
	Members       []Member      `json:"members"`
	MembersNext   string        `json:"members_next,omitempty"` // for members_after
	Upstreams     []Upstream    `json:"upstreams"`
	UpstreamsNext string        `json:"upstreams_next,omitempty"` // for upstreams_after
	Seen          Seen          `json:"seen"`
}

// A Listener is where a gateway can be reached.
type Listener struct {
	Flag    string `json:"flag"` // of mlesd, that asked for it
	Address string `json:"address"`
	TLS     bool   `json:"tls"`
}

// A Certificate is what clients of one name are shown.
type Certificate struct {
	Domain    string    `json:"domain"`
	Source    string    `json:"source,omitempty"`    // acme, older server, file, self-signed; not there: there is none
	NotAfter  time.Time `json:"not_after,omitzero"`  // not there: there is none
	Problem   string    `json:"problem,omitempty"`   // why there is none, or no newer one
	ProblemAt time.Time `json:"problem_at,omitzero"` // when that was found
}

// Stats are a gateway's counts; see [bridge.Stats].
type Stats struct {
	Connections int64              `json:"connections"`
	Limit       int64              `json:"connections_limit"`
	Members     int64              `json:"members"`
	Channels    int64              `json:"channels"`
	Memory      int64              `json:"memory_bytes"`
	MemoryLimit int64              `json:"memory_limit_bytes"`
	Accepted    int64              `json:"connections_accepted"`
	Handshakes  int64              `json:"tls_handshakes"`
	Failed      int64              `json:"tls_handshakes_failed"`
	Unreadable  int64              `json:"untranslatable"`
	Astray      int64              `json:"astray"`
	ReadOnly    int64              `json:"read_only"`
	Loops       int64              `json:"loops"`
	Dialects    map[string]Dialect `json:"dialects"`
	Refusals    map[string]int64   `json:"refusals"`
	Cuts        map[string]int64   `json:"cuts"`
	Revoked     map[string]int64   `json:"revoked"`
}

// A Dialect is what was said in one, since the gateway was started.
type Dialect struct {
	Members     int64            `json:"members"`
	Joins       int64            `json:"joins"`
	MessagesIn  int64            `json:"messages_in"`
	BytesIn     int64            `json:"bytes_in"`
	MessagesOut int64            `json:"messages_out"`
	BytesOut    int64            `json:"bytes_out"`
	MostLag     int64            `json:"lag_max_bytes"` // of the member that is furthest behind now
	Disconnects map[string]int64 `json:"disconnects"`   // connections that had joined and have ended, by reason
}

// A Channel is one that has members or history.
type Channel struct {
	Name          string         `json:"name"`
	Members       map[string]int `json:"members"` // by dialect, without those that have none
	HistoryEvents int64          `json:"history_events"`
	HistoryBytes  int64          `json:"history_bytes"`
	LastUsed      time.Time      `json:"last_used"`
}

// A Member is somebody on a channel; see [bridge.Member].
type Member struct {
	Dialect     string    `json:"dialect"`
	Channel     string    `json:"channel"`
	Called      string    `json:"called,omitempty"` // by the client, where channel is masked
	UID         string    `json:"uid"`
	Address     string    `json:"address,omitempty"`
	Key         string    `json:"key"`                // shared, address, none
	KeyLine     int       `json:"key_line,omitempty"` // of the file, from 1
	Since       time.Time `json:"since"`
	LastMessage time.Time `json:"last_message,omitzero"`
	Lag         int64     `json:"lag_bytes"`
	MessagesIn  int64     `json:"messages_in"`
	BytesIn     int64     `json:"bytes_in"`
	MessagesOut int64     `json:"messages_out"`
	BytesOut    int64     `json:"bytes_out"`
}

// An Upstream is one channel's connection to a server that the gateway is a client of;
// see [bridge.UpstreamStatus].
type Upstream struct {
	URL          string    `json:"url"`
	Channel      string    `json:"channel"`
	State        string    `json:"state"` // connecting, settling, running, waiting, refused
	Since        time.Time `json:"since"`
	Reason       string    `json:"reason,omitempty"` // of the last failure
	MessagesUp   int64     `json:"messages_up"`
	BytesUp      int64     `json:"bytes_up"`
	MessagesDown int64     `json:"messages_down"`
	BytesDown    int64     `json:"bytes_down"`
}

func statsOf(st bridge.Stats, survey bridge.Survey) Stats {
	s := Stats{
		Connections: st.Connections, Limit: st.MaxConnections, Handshakes: st.Handshakes, Failed: st.HandshakesFailed, Channels: st.Channels, Memory: st.Memory, MemoryLimit: st.MemoryLimit,
		Accepted: st.Accepted, Unreadable: st.Untranslatable, Astray: st.Astray, ReadOnly: st.ReadOnly, Loops: st.Loops,
		Dialects: make(map[string]Dialect), Refusals: counts(st.Refusals), Cuts: counts(st.Cuts), Revoked: counts(st.Revoked),
	}
	for name, members := range map[string]int64{"v1": st.V1Members, "v1ws": st.V1WSMembers, "v2": st.V2Members} {
		s.Dialects[name] = Dialect{
			Members: members, Joins: st.Joins[name], MessagesIn: st.MessagesIn[name], BytesIn: st.BytesIn[name],
			MessagesOut: survey.Out[name].Messages, BytesOut: survey.Out[name].Bytes, MostLag: survey.Lag[name].Most,
			Disconnects: counts(st.Disconnects[name]),
		}
		s.Members += members
	}
	return s
}

// counts is by, never null in JSON.
func counts(by map[string]int64) map[string]int64 {
	if by == nil {
		return map[string]int64{}
	}
	return by
}

func memberOf(m bridge.Member) Member {
	address := ""
	switch {
	case m.Addr.IsValid() && m.Addr.Port() == 0: // which a proxy has not told
		address = m.Addr.Addr().String()
	case m.Addr.IsValid():
		address = m.Addr.String()
	}
	return Member{
		Dialect: m.Dialect, Channel: m.Channel, Called: m.Called, UID: m.UID, Address: address, Key: m.Key.String(), KeyLine: m.Key.Line(),
		Since: m.Since.UTC(), LastMessage: m.LastMessage.UTC(), Lag: m.Lag,
		MessagesIn: m.In.Messages, BytesIn: m.In.Bytes, MessagesOut: m.Out.Messages, BytesOut: m.Out.Bytes,
	}
}

func upstreamOf(u bridge.UpstreamStatus) Upstream {
	return Upstream{
		URL: u.URL, Channel: u.Channel, State: u.State, Since: u.Since.UTC(), Reason: u.Reason,
		MessagesUp: u.MessagesUp, BytesUp: u.BytesUp, MessagesDown: u.MessagesDown, BytesDown: u.BytesDown,
	}
}

func channelOf(c bridge.Channel) Channel {
	return Channel{
		Name: c.Name, Members: c.Members, HistoryEvents: c.History.Messages, HistoryBytes: c.History.Bytes, LastUsed: c.LastUsed.UTC(),
	}
}
