package rules

import "strings"

// formatBody formats the lines of the expression, whose syntax is right.
func formatBody(lines []string) []string {
	held, depths := linesOf([]rune(strings.Join(lines, "\n")))
	var out []string
	for i, l := range lines {
		if !held[i+1] { // the end of the line is not inside a text or comment
			l = strings.TrimRight(l, " \t")
		}
		if !held[i] {
			if rest := strings.TrimLeft(l, " \t"); depths[i] == 0 && strings.HasPrefix(rest, "|") && !strings.HasPrefix(rest, "||") {
				l = "  " + rest
			}
			if l == "" && (len(out) == 0 || out[len(out)-1] == "") && !held[i+1] {
				continue
			}
		}
		out = append(out, l)
	}
	for len(out) > 0 && out[len(out)-1] == "" {
		out = out[:len(out)-1]
	}
	return out
}

// linesOf tells of each line whether it begins inside a text or a comment, and
// inside how many brackets. There is one more at the end, for what follows.
func linesOf(src []rune) (held []bool, depths []int) {
	const inCode, inLine, inBlock rune = 0, '/', '*' // and in a text: its quote
	in, depth := inCode, 0
	held, depths = []bool{false}, []int{0}
	for i := 0; i < len(src); i++ {
		r, next := src[i], rune(0)
		if i+1 < len(src) {
			next = src[i+1]
		}
		switch {
		case r == '\n':
			if in == inLine {
				in = inCode
			}
			held, depths = append(held, in != inCode), append(depths, depth)
		case in == inLine:
		case in == inBlock:
			if r == '*' && next == '/' {
				in = inCode
				i++
			}
		case in != inCode:
			if r == '\\' && in != '`' && next != '\n' {
				i++
			} else if r == in {
				in = inCode
			}
		case strings.ContainsRune("\"'`", r):
			in = r
		case r == '/' && (next == '/' || next == '*'):
			in = next
			i++
		case strings.ContainsRune("([{", r):
			depth++
		case strings.ContainsRune(")]}", r):
			depth--
		}
	}
	return append(held, false), append(depths, depth)
}
