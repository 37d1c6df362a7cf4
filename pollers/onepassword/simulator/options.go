package simulator

import "net/http"

// Options are the things about the API that nobody outside 1Password has
// written down, or that differ between its versions. The zero value is the most
// likely reading.
type Options struct {
	// MissingFeature is the status for a token without the feed's feature: 401
	// (as documented; the zero value) or 403.
	MissingFeature int
	// RetryAfter puts a Retry-After header on 429.
	RetryAfter bool
	// RateLimitHeaders puts RateLimit-Limit, -Remaining and -Reset on every answer.
	RateLimitHeaders bool
	// BadCursorResets takes a cursor that is none of ours for an empty reset
	// cursor instead of answering 400.
	BadCursorResets bool
	// ExclusiveStart leaves out records at exactly start_time.
	ExclusiveStart bool
	// LateBehindCursor lets a chain of cursors return records that arrive late
	// after it has passed their time. Otherwise they are skipped, and only
	// reading their time again finds them.
	LateBehindCursor bool
	// NoV2 answers every v2 path with the text 404.
	NoV2 bool
	// LimitPerToken counts requests by token instead of by account.
	LimitPerToken bool
	// PerMinute and PerHour are the rate limits on the simulated clock: 600 and
	// 30,000 if zero, none if negative.
	PerMinute int
	PerHour   int
	// NoControl takes the control interface under /simulator/ away.
	NoControl bool
}

func (o Options) missingFeature() int {
	if o.MissingFeature == 0 {
		return http.StatusUnauthorized
	}
	return o.MissingFeature
}
