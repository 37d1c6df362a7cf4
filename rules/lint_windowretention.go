package rules

import (
	"fmt"
	"time"

	"github.com/expr-lang/expr/ast"
)

// windowBeyondRetention: events are dropped before the rule has looked at them
// for the last time.
func windowBeyondRetention(s *subject) {
	if kept := s.config.Retention; kept > 0 && s.rule.Pattern.Reach() > kept {
		s.warnOn(s.window(), "make the window shorter, or keep events longer: events.max_age", "%s, but events are kept for %s", s.looksBack(), days(kept))
	}
}

// looksBack tells the reach of the rule.
func (s *subject) looksBack() string {
	p := s.rule.Pattern
	return fmt.Sprintf("the rule looks back %s (the window is %s, the quiet gap %s)", days(p.Reach()), days(p.Within), days(p.Quiet))
}

// window is where the window is said, or else the pattern.
func (s *subject) window() ast.Node {
	at := s.form.node
	each(&s.tree.Node, func(place *ast.Node) bool {
		if call, ok := (*place).(*ast.CallNode); ok && isCallOf(call, "within") && len(call.Arguments) == 2 {
			at = call.Arguments[1]
		}
		return true
	})
	return at
}

// days writes a duration as rules do, in days, hours, minutes and seconds.
func days(d time.Duration) string {
	out := ""
	for _, unit := range []struct {
		name string
		of   time.Duration
	}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}} {
		if n := d / unit.of; n > 0 {
			out += fmt.Sprintf("%d%s", n, unit.name)
			d -= n * unit.of
		}
	}
	return out
}
