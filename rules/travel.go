package rules

import "github.com/expr-lang/expr/ast"

// travel reads travel(step, km_per_hour).
func (r patternReader) travel(at ast.Node, args []ast.Node, f *form) bool {
	if len(args) != 2 {
		r.errorOn(at, "write travel(step, 900), or step | travel(900)", "travel takes a step and a speed in km/h")
		return false
	}
	step, ok := r.step(args[0])
	if ok && step.times != 1 {
		r.errorOn(args[0], "", "travel takes a step, not times")
		ok = false
	}
	speed, okSpeed := r.speed(args[1])
	f.steps, f.speed = []stepForm{step}, speed
	return ok && okSpeed
}

// speed reads a literal number above 0.
func (r patternReader) speed(n ast.Node) (kmPerHour float64, ok bool) {
	literal := true
	switch lit := r.behind(n).(type) {
	case *ast.IntegerNode:
		kmPerHour = float64(lit.Value)
	case *ast.FloatNode:
		kmPerHour = lit.Value
	case *ast.UnaryNode: // a number below 0 is not one token
		literal = lit.Operator == "-" && isLiteralNumber(lit.Node)
	default:
		literal = false
	}
	switch {
	case poisoned(n) || poisoned(r.behind(n)):
	case !literal:
		r.errorOn(n, "such as 900, an airliner's", "travel takes a literal number, the speed in km/h")
	case !(kmPerHour > 0):
		r.errorOn(n, "", "travel takes a speed above 0")
	default:
		return kmPerHour, true
	}
	return 0, false
}

func isLiteralNumber(n ast.Node) bool {
	switch n.(type) {
	case *ast.IntegerNode, *ast.FloatNode:
		return true
	}
	return false
}
