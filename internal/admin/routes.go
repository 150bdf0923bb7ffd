package admin

import (
	"fmt"
	"log/slog"
	"net/http"
	"strings"
)

// Config says who may do what.
type Config struct {
	// Token is what callers have to send, where they have to. nil: no token is valid.
	Token *Token
	// Logger is told of wrong tokens, once a second. nil: slog.Default().
	Logger *slog.Logger
}

// Routes are what an admin listener answers. All are registered before the first Handler is made.
type Routes struct {
	conf    Config
	origin  *http.CrossOriginProtection
	guesses *guesses
	routes  []route
}

type route struct {
	pattern string
	needs   access
	h       http.Handler
}

// access is what a caller needs.
type access int

const (
	toOpen access = iota
	toRead
	toAct
)

// New makes Routes that answer nothing yet.
func New(conf Config) *Routes {
	if conf.Token == nil {
		conf.Token = new(Token)
	}
	if conf.Logger == nil {
		conf.Logger = slog.Default()
	}
	return &Routes{conf: conf, origin: http.NewCrossOriginProtection(), guesses: newGuesses(conf.Logger)}
}

// Open has h answer to anybody. The pattern is one of [http.ServeMux], here and below.
func (r *Routes) Open(pattern string, h http.Handler) { r.add(pattern, toOpen, h) }

// Read has h answer to whoever is on this machine, and elsewhere to those who send the token.
func (r *Routes) Read(pattern string, h http.Handler) { r.add(pattern, toRead, h) }

// Act has h answer to those who send the token only.
func (r *Routes) Act(pattern string, h http.Handler) { r.add(pattern, toAct, h) }

func (r *Routes) add(pattern string, needs access, h http.Handler) {
	r.routes = append(r.routes, route{pattern, needs, h})
}

// Handler answers on one listener; loopback says that nobody can reach that from another machine.
func (r *Routes) Handler(loopback bool) http.Handler {
	mux := http.NewServeMux()
	for _, route := range r.routes {
		mux.Handle(route.pattern, r.guard(route, loopback))
	}
	return mux
}

// guard asks callers of one route for what they need.
func (r *Routes) guard(route route, loopback bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		foreign := error(nil)
		if loopback {
			foreign = local(r.origin, req)
		}
		mayPass := route.needs == toOpen || route.needs == toRead && loopback
		switch {
		case mayPass && foreign == nil:
		case foreign != nil && bearer(req) == "":
			http.Error(w, foreign.Error(), http.StatusForbidden)
			return
		case !r.authorized(w, req, loopback):
			return
		}
		route.h.ServeHTTP(w, req)
	})
}

// authorized reports whether the request has the token; if not, it has been answered.
func (r *Routes) authorized(w http.ResponseWriter, req *http.Request, loopback bool) bool {
	if why := r.conf.Token.absent(); why != nil {
		text := "this needs a token, and the gateway has none"
		if loopback {
			text += fmt.Sprintf(": %v; --admin-token-file names a file with one", why)
		}
		http.Error(w, text, http.StatusForbidden)
		return false
	}
	sent := bearer(req)
	if sent != "" && !r.guesses.allowed(req) {
		w.Header().Set("Retry-After", "1")
		http.Error(w, "too many wrong tokens from your address", http.StatusTooManyRequests)
		return false
	}
	if sent != "" && r.conf.Token.is(sent) {
		return true
	}
	if sent != "" {
		r.guesses.wrong(req)
	}
	r.ask(w, sent != "", loopback)
	return false
}

// ask answers 401 and says where the token comes from, to those on this machine by its file's name.
func (r *Routes) ask(w http.ResponseWriter, wrong, loopback bool) {
	text := "this needs the header Authorization: Bearer TOKEN"
	if wrong {
		text = "wrong token"
	}
	from := "in the file that mlesd's --admin-token-file names"
	if file := r.conf.Token.file(); loopback && file != "" {
		from = "in " + file
	}
	w.Header().Set("WWW-Authenticate", `Bearer realm="mlesd"`)
	http.Error(w, fmt.Sprintf("%s; the token is %s", text, from), http.StatusUnauthorized)
}

// bearer is the token that a request sends; "": none.
func bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.Trim(token, " ")
}
