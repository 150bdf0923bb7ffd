package main

import (
	"fmt"
	"log/slog"
	"reflect"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"mles/bridge"
	"mles/cmd/internal/manual"
)

// config is the command line and the environment. Addresses and sizes are pointers: nil was not given. Aliases have no
// variable: beside a service named mlesd, Kubernetes sets MLESD_PORT=tcp://… in every pod.
type config struct {
	V1Listen    *address `name:"v1-listen" env:"MLESD_V1_LISTEN" group:"Listeners" placeholder:"[::]:8077" help:"v1 over TCP; off."`
	V1TLSListen *address `name:"v1-tls-listen" env:"MLESD_V1_TLS_LISTEN" group:"Listeners" placeholder:"off" help:"v1 over TLS."`
	V2Listen    *address `name:"v2-listen" aliases:"port" short:"p" env:"MLESD_V2_LISTEN" group:"Listeners" placeholder:"localhost:8443" help:"v2, WebSockets over TLS; [::]:443 with --domains; off. Also --port."`
	PlainListen *address `name:"plain-listen" env:"MLESD_PLAIN_LISTEN" group:"Listeners" placeholder:"off" help:"WebSockets without TLS, behind a terminator."`
	AdminListen *address `name:"admin-listen" env:"MLESD_ADMIN_LISTEN" group:"Listeners" placeholder:"localhost:9077" help:"Metrics, health, status; off."`

	TLSCert       string   `name:"tls-cert" env:"MLESD_TLS_CERT" group:"Certificates" placeholder:"FILE" help:"Certificate, PEM, reloaded when it changes."`
	TLSKey        string   `name:"tls-key" env:"MLESD_TLS_KEY" group:"Certificates" placeholder:"FILE" help:"Its private key."`
	Domains       []string `short:"d" env:"MLESD_DOMAINS" group:"Certificates" placeholder:"NAME" help:"Obtain certificates for these names by ACME, on port 443. Repeat, or separate by commas."`
	Email         string   `short:"e" env:"MLESD_EMAIL" group:"Certificates" placeholder:"ADDRESS" help:"Where the ACME authority writes to."`
	Cache         string   `short:"c" env:"MLESD_CACHE" group:"Certificates" placeholder:"DIR" help:"Folder for certificates, histories, the admin listener's token and the record of who was there (default: mles in the user's cache folder)."`
	Staging       bool     `short:"s" env:"MLESD_STAGING" group:"Certificates" help:"Use Let's Encrypt's directory for trying things out."`
	ACMEDirectory string   `name:"acme-directory" env:"MLESD_ACME_DIRECTORY" group:"Certificates" placeholder:"URL" help:"Directory of another ACME authority."`

	KeyFile       string `name:"key-file" env:"MLESD_KEY_FILE" group:"Keys" placeholder:"FILE" help:"Shared keys, one in a line, all accepted, the first one used to send; in place of MLES_KEY. Lines that begin with # are comments, a key that does begins with \\#."`
	V1KeyFile     string `name:"v1-key-file" env:"MLESD_V1_KEY_FILE" group:"Keys" placeholder:"FILE" help:"The same for v1 alone; empty: v1 needs no shared key."`
	V2KeyFile     string `name:"v2-key-file" env:"MLESD_V2_KEY_FILE" group:"Keys" placeholder:"FILE" help:"The same for v2 alone; empty: v2 needs no key."`
	V1AddressKeys bool   `name:"v1-address-keys" env:"MLESD_V1_ADDRESS_KEYS" group:"Keys" help:"Accept v1 address keys beside a shared key."`
	V1WebSocket   bool   `name:"v1-websocket" env:"MLESD_V1_WEBSOCKET" group:"Channels" help:"Serve v1 over WebSocket, too, where v2 is served (--v2-listen, --plain-listen). It knows no key: whoever connects gets in."`
	WebproxyMask  string `name:"webproxy-mask" env:"MLESD_WEBPROXY_MASK" group:"Channels" placeholder:"off" default:"off" enum:"off,link,only" help:"The mask that mles-webproxy puts on names and messages: link each channel joined over WebSocket to its masked twin, or have v1 over WebSocket on the masked channel only."`
	V1Channels    globs  `name:"v1-channels" env:"MLESD_V1_CHANNELS" group:"Channels" placeholder:"GLOB" help:"Let v1 clients join only channels that fit: hall, iot/*, iot/** (default: all). Repeat, or separate by commas; \\, is a comma."`
	V2Channels    globs  `name:"v2-channels" env:"MLESD_V2_CHANNELS" group:"Channels" placeholder:"GLOB" help:"The same for v2 clients (default: all)."`
	V1ReadOnly    bool   `name:"v1-read-only" env:"MLESD_V1_READ_ONLY" group:"Channels" help:"Let v1 clients join and read; what they send is dropped."`
	V2Joins       string `name:"v2-joins" env:"MLESD_V2_JOINS" group:"Channels" placeholder:"history" default:"history" enum:"history,live,off" help:"When v2 members are told of arrivals: history, live or off."`

	Peer            string   `arg:"" optional:"" name:"peer" env:"MLESD_PEER" help:"Upstream v1 server, HOST or HOST:PORT, as mles 1.1.7 takes it."`
	Upstream        []string `name:"upstream" env:"MLESD_UPSTREAM" group:"Upstreams" placeholder:"URL" help:"Server that every channel with members is connected to: v1://HOST[:PORT], v1s:// over TLS, ws:// or wss:// for v2. Repeat, or separate by commas."`
	UpstreamUID     string   `name:"upstream-uid" env:"MLESD_UPSTREAM_UID" group:"Upstreams" placeholder:"NAME" help:"Who the gateway is upstream when it does not arrive as one of its members (default: mlesd- and random digits)."`
	UpstreamKeyFile string   `name:"upstream-key-file" env:"MLESD_UPSTREAM_KEY_FILE" group:"Upstreams" placeholder:"FILE" help:"The upstreams' shared key, the first one in the file (default: the gateway's own)."`
	UpstreamHold    string   `name:"upstream-hold" env:"MLESD_UPSTREAM_HOLD" group:"Upstreams" placeholder:"FILE" help:"Channels to connect without members, too, one in a line; lines that begin with # are comments."`
	UpstreamCA      string   `name:"upstream-ca" env:"MLESD_UPSTREAM_CA" group:"Upstreams" placeholder:"FILE" help:"Certificates, PEM, to trust upstream besides the system's."`

	HistoryLimit   *int          `name:"history-limit" aliases:"limit" short:"l" env:"MLESD_HISTORY_LIMIT" group:"Channels" placeholder:"200" help:"Messages kept per channel; 0 keeps none. Also --limit."`
	MemoryLimit    *memorySize   `name:"memory-limit" env:"MLESD_MEMORY_LIMIT" group:"Bounds" placeholder:"50%" help:"Memory the process may take: 512MiB, 2G, bytes, or a share of the machine's or cgroup's."`
	MaxConnections *int          `name:"max-connections" aliases:"filelimit" short:"f" env:"MLESD_MAX_CONNECTIONS" group:"Bounds" placeholder:"N" help:"Connections at once (default: by the limit on file descriptors). Also --filelimit."`
	DrainTime      time.Duration `name:"drain-time" env:"MLESD_DRAIN_TIME" group:"Bounds" default:"10s" placeholder:"10s" help:"How long clients are given to leave on SIGTERM."`

	LogLevel  slog.Level `name:"log-level" env:"MLESD_LOG_LEVEL" group:"Log" default:"info" placeholder:"info" help:"debug, info, warn or error."`
	LogFormat string     `name:"log-format" env:"MLESD_LOG_FORMAT" group:"Log" default:"auto" enum:"auto,text,json,journal" placeholder:"auto" help:"On standard error: text, json, or journal (the priority as systemd has it, no time); auto is journal where that is what reads it, else text."`

	joinFlags
	connectionFlags
	siteFlags
	chatFlags
	adminFlags
	keepFlags
	Config string `name:"config" env:"MLESD_CONFIG" placeholder:"FILE" help:"Settings, one in a line, with the names of the variables: MLESD_HISTORY_LIMIT=100. Read again on SIGHUP and by mlesctl reload. A flag goes before it, and it before the environment."`

	Check    bool             `name:"check" help:"Tell what a start would do, and all that is wrong, without starting: exit status 0 or 2."`
	Version  kong.VersionFlag `help:"Print the version."`
	Generate manual.Generate  `hidden:"" placeholder:"FORM"` // for packages

	file   *configFile       // nil: none
	values map[string]string // by flag; see note
	found  faults            // by kong's hooks, in the environment and the file

	variables []string // of all flags

	// Found by complete.
	v1, v1TLS, v2, plain, admin address
	sockets                     passed // by systemd, in the place of some of these
	keys                        *keys
	upstreams                   []bridge.Upstream
	memory                      int64 // bytes; 0: unknown here, bridge decides
	cacheGiven                  bool
	warnings                    []string // of whoever wrote the configuration
}

// note keeps what each flag says, so that two configurations can be compared, and the names of their variables.
func (c *config) note(line *kong.Context) {
	c.values = make(map[string]string)
	for _, flag := range line.Flags() {
		c.values["--"+flag.Name] = shown(flag.Target)
		c.variables = append(c.variables, flag.Envs...)
	}
	for _, arg := range line.Model.Positional {
		c.values[strings.ToUpper(arg.Name)] = shown(arg.Target)
		c.variables = append(c.variables, "MLESD_"+strings.ToUpper(arg.Name))
	}
}

// shown is a flag's value in words of Go.
func shown(v reflect.Value) string {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return ""
		}
		v = v.Elem()
	}
	return fmt.Sprintf("%#v", v.Interface())
}

// version is what the binary was built from: the module's version, or the commit, and the compiler.
func version() string {
	v := "devel"
	if info, ok := debug.ReadBuildInfo(); ok {
		if info.Main.Version != "" && info.Main.Version != "(devel)" {
			v = info.Main.Version
		}
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" && v == "devel" {
				v += " " + s.Value[:min(12, len(s.Value))]
			}
		}
	}
	return fmt.Sprintf("%s (%s %s/%s)", v, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
