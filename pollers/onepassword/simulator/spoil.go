package simulator

import (
	"net"
	"net/http"
	"strconv"
	"time"
)

// spoil answers the request as the fault has it: instead of, before, or after
// the right answer is made.
func (s *Simulator) spoil(w http.ResponseWriter, r *http.Request, version apiVersion, f Fault, right func() answer) {
	header := w.Header()
	switch f.Kind {
	case FaultUnauthorized:
		refusal(version, http.StatusUnauthorized, "unauthorized").write(w)
	case FaultForbidden:
		refusal(version, http.StatusForbidden, "forbidden").write(w)
	case FaultThrottled:
		header.Set("Retry-After", strconv.Itoa(int((f.RetryAfter+time.Second-1)/time.Second)))
		refusal(version, http.StatusTooManyRequests, "rate limit exceeded").write(w)
	case FaultThrottledDry:
		refusal(version, http.StatusTooManyRequests, "rate limit exceeded").write(w)
	case FaultServerError:
		refusal(version, http.StatusInternalServerError, "internal server error").write(w)
	case FaultBadGateway:
		text(http.StatusBadGateway, "upstream connect error or disconnect/reset before headers").write(w)
	case FaultUnavailable:
		header.Set("Content-Type", "text/html")
		text(http.StatusServiceUnavailable, "<html><body><h1>503 Service Unavailable</h1></body></html>").write(w)
	case FaultTimeout:
		text(http.StatusGatewayTimeout, "").write(w)
	case FaultNotFound:
		pathNotFound.write(w)
	case FaultReset:
		reset(w)
	case FaultSlow:
		select {
		case <-time.After(f.Delay):
			right().write(w)
		case <-r.Context().Done():
		}
	case FaultCut:
		a := right()
		header.Set("Content-Type", "application/json; charset=utf-8")
		header.Set("Content-Length", strconv.Itoa(len(a.body)))
		w.WriteHeader(a.status)
		_, _ = w.Write(a.body[:len(a.body)/2])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler) // closes the connection before the promised length
	case FaultBrokenJSON:
		a := right()
		a.body = append(a.body[:len(a.body)*2/3:len(a.body)*2/3], `"}}]`...)
		a.write(w)
	case FaultClockSkew:
		a := right()
		header.Set("Date", s.clock.Now().Add(f.Skew).Format(http.TimeFormat))
		a.write(w)
	default: // none, or one that the right answer knows of
		right().write(w)
	}
}

func text(status int, body string) answer {
	return answer{status: status, body: []byte(body), plain: true}
}

// reset drops the connection so that the client sees a reset. Where there is
// no connection to take (a test's recorder) it only breaks off.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // closing then sends RST; without it a plain end will do
	}
	_ = conn.Close()
}
