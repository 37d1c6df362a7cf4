package simulator

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxBody bounds a request's body; the largest sensible one is a cursor.
const maxBody = 64 << 10

func (s *Simulator) route() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/auth/introspect", s.introspect(v1))
	mux.HandleFunc("POST /api/v1/{feed}", s.feed(v1))
	if !s.options.NoV2 {
		mux.HandleFunc("GET /api/v2/auth/introspect", s.introspect(v2))
		mux.HandleFunc("POST /api/v2/{feed}", s.feed(v2))
	}
	if !s.options.NoControl {
		s.routeControl(mux)
	}
	return mux
}

// ServeHTTP answers one request.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.goOn()
	w.Header().Set("Date", s.clock.Now().Format(http.TimeFormat))
	seen := &statusWriter{ResponseWriter: w}
	defer func() {
		path := r.URL.Path
		if _, pattern := s.routes.Handler(r); pattern == "" || strings.HasSuffix(pattern, "{feed}") && feedOf(lastOf(path)) < 0 {
			path = "other" // what a stranger asks for is no name to keep
		}
		s.tally.request(path, seen.status)
		s.logger.Debug("request", "path", r.URL.Path, "status", seen.status)
	}()
	s.routes.ServeHTTP(seen, r)
}

func lastOf(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// statusWriter notes the status; 0 stands for an answer that was never begun.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController find the connection.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// answer is what a request gets, before a fault spoils it on the way.
type answer struct {
	status int
	body   []byte
	plain  bool // text instead of JSON
}

// refusal is an error in the shape of the version: {"Error":{"Message":…}} in
// v1, {"status":…,"message":…} in v2.
func refusal(version apiVersion, status int, message string) answer {
	var body any = map[string]any{"status": status, "message": message}
	if version == v1 {
		body = map[string]any{"Error": map[string]any{"Message": message}}
	}
	b, err := json.Marshal(body)
	if err != nil {
		panic(err) // strings and numbers always marshal
	}
	return answer{status: status, body: b}
}

// pathNotFound is what Go's own multiplexer says: not JSON.
var pathNotFound = answer{status: http.StatusNotFound, body: []byte("404 page not found\n"), plain: true}

func (s *Simulator) introspect(version apiVersion) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		who, err := s.mint.check(r.Header.Get("Authorization"))
		fault := s.faults.draw(request{account: accountOf(who)})
		s.spoil(w, r, version, fault, func() answer {
			if err != nil {
				return refusal(version, http.StatusUnauthorized, err.Error())
			}
			if refused, ok := s.count(w, version, who); !ok {
				return refused
			}
			issued := who.IssuedAt.Time.UTC().Format(time.RFC3339)
			var body any = map[string]any{
				"uuid": who.Subject, "issued_at": issued, "features": who.Features, "account_uuid": who.Account,
			}
			if version == v1 {
				body = map[string]any{"UUID": who.Subject, "IssuedAt": issued, "Features": who.Features}
			}
			b, err := json.Marshal(body)
			if err != nil {
				panic(err) // strings always marshal
			}
			return answer{status: http.StatusOK, body: b}
		})
	}
}

func (s *Simulator) feed(version apiVersion) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		name := r.PathValue("feed")
		number := feedOf(name)
		if number < 0 {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			pathNotFound.write(w)
			return
		}
		who, err := s.mint.check(r.Header.Get("Authorization"))
		body, bodyErr := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
		if bodyErr != nil {
			return // the client has gone
		}
		ask, askErr := decodeAsk(body)
		if len(body) > maxBody {
			askErr = fmt.Errorf("request body: over %d bytes", maxBody)
		}
		fault := s.faults.draw(request{feed: name, account: accountOf(who), continues: askErr == nil && ask.continues()})
		s.spoil(w, r, version, fault, func() answer {
			switch {
			case err != nil:
				return refusal(version, http.StatusUnauthorized, err.Error())
			case !who.allows(name):
				return refusal(version, s.options.missingFeature(), "token lacks the feature "+name)
			}
			if refused, ok := s.count(w, version, who); !ok {
				return refused
			}
			if askErr != nil {
				return refusal(version, http.StatusBadRequest, askErr.Error())
			}
			return s.read(version, who, number, ask, fault)
		})
	}
}

func accountOf(c *claims) string {
	if c == nil {
		return ""
	}
	return c.Account
}

// count holds the request against the rate limits.
func (s *Simulator) count(w http.ResponseWriter, version apiVersion, who *claims) (answer, bool) {
	by := who.Account
	if s.options.LimitPerToken {
		by = who.ID
	}
	q, ok := s.limits.take(by, s.clock.Now())
	wait := strconv.Itoa(int((q.reset + time.Second - 1) / time.Second))
	if s.options.RateLimitHeaders && q.limit > 0 {
		w.Header().Set("RateLimit-Limit", strconv.Itoa(q.limit))
		w.Header().Set("RateLimit-Remaining", strconv.Itoa(q.remaining))
		w.Header().Set("RateLimit-Reset", wait)
	}
	if ok {
		return answer{}, true
	}
	if s.options.RetryAfter {
		w.Header().Set("Retry-After", wait)
	}
	return refusal(version, http.StatusTooManyRequests, "rate limit exceeded"), false
}

// read answers a request for records.
func (s *Simulator) read(version apiVersion, who *claims, feed int, a ask, fault Fault) answer {
	world := s.world(who.Account)
	if world == nil { // a token of an earlier run with other accounts
		return refusal(version, http.StatusUnauthorized, "unknown account")
	}
	now := s.clock.Now()
	at, sent := a.reset(feed, now), ""
	if a.continues() {
		sent = *a.Cursor
		c, err := decodeCursor(sent, feed)
		switch {
		case fault.Kind == FaultCursorRefused, err != nil && !s.options.BadCursorResets:
			return refusal(version, http.StatusBadRequest, errCursor.Error())
		case err != nil:
			at, sent = ask{}.reset(feed, now), ""
		default:
			at = c
		}
	}
	body, records := world.answer(version, at, sent, now, s.options, fault)
	s.tally.returned(apiFeeds[feed], records)
	return answer{status: http.StatusOK, body: body}
}

func (a answer) write(w http.ResponseWriter) {
	if !a.plain {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	w.WriteHeader(a.status)
	// An error means that the client has gone; there is nobody to tell.
	_, _ = w.Write(a.body)
}
