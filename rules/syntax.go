package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/expr-lang/expr/file"
)

var (
	numberWord = regexp.MustCompile(`^bad number syntax: "(\d+)(\D*)"$`)
	tokenWord  = regexp.MustCompile(`^unexpected token (\w+)(?:\("(.*)"\))?$`)
	firstLet   = regexp.MustCompile(`^\s*let\s+\w+\s*=`)
	laterLet   = regexp.MustCompile(`\blet\s+(\w+)\s*=`)
)

// syntaxError tells an error of the parser in the words of the rule language.
func (b *body) syntaxError(src []rune, at *file.Error) {
	message, hint, offset := at.Message, "", at.From
	if m := numberWord.FindStringSubmatch(message); m != nil {
		message = fmt.Sprintf("%s%s is no number", m[1], m[2])
		hint = fmt.Sprintf(`a duration is written in quotes: "%s%s"`, m[1], m[2])
		offset -= len(m[1]) // the lexer is behind the digits already
	} else if m := tokenWord.FindStringSubmatch(message); m != nil {
		token := m[2]
		switch {
		case m[1] == "EOF":
			message = "the expression ends too early"
		case token == "=":
			message, hint = "unexpected =", "to compare, write =="
		case token == "#":
			message, hint = "unexpected #", "a comment starts with //"
		case token == "let" || m[1] == "Identifier":
			message, hint = "unexpected "+token, "is a ; or an operator missing before it?"
		default:
			message = "unexpected " + token
		}
	} else if strings.Contains(message, "exceeds maximum allowed nodes") {
		message, hint = fmt.Sprintf(tooManyNodes, maxNodes), tooManyHint
	}
	if open, ok := unclosed(src); ok {
		line, column := b.position(open)
		hint = fmt.Sprintf("the %c of line %d, column %d is not closed", src[open], line, column)
	}
	line, column := b.position(offset)
	b.errorAt(line, column, hint, "%s", message)
}

// dig replaces the statement around the offset by a hole. It says no where
// the statements cannot be told apart or there is nothing to replace.
func (b *body) dig(src []rune, offset int) bool {
	if _, ok := unclosed(src); ok || slices.Contains([]rune(b.src), hole) {
		return false
	}
	start, end := 0, len(src)
	scan(src, func(i int, r rune) bool {
		if r != ';' {
			return true
		}
		if i < offset {
			start = i + 1
			return true
		}
		end = i
		return false
	})
	swallowed := string(src[start:end])
	if m := firstLet.FindString(swallowed); m != "" {
		if end == len(src) {
			return false // it runs into the pattern: a semicolon is missing
		}
		start += len([]rune(m))
		swallowed = string(src[start:end])
	}
	for _, m := range laterLet.FindAllStringSubmatch(swallowed, -1) {
		b.lost[m[1]] = true
	}
	dug := false
	for i := start; i < end; i++ {
		switch {
		case src[i] == '\n':
		case !dug && src[i] != ' ' && src[i] != '\t' && src[i] != hole:
			src[i], dug = hole, true
		default:
			src[i] = ' '
		}
	}
	return dug
}

// scan calls visit for every character that is neither in a text nor in a
// comment, until it says no.
func scan(src []rune, visit func(i int, r rune) bool) {
	for i := 0; i < len(src); i++ {
		switch r := src[i]; {
		case r == '"' || r == '\'' || r == '`':
			for i++; i < len(src) && src[i] != r; i++ {
				if src[i] == '\\' && r != '`' {
					i++
				}
			}
		case r == '/' && i+1 < len(src) && src[i+1] == '/':
			for i < len(src) && src[i] != '\n' {
				i++
			}
		case r == '/' && i+1 < len(src) && src[i+1] == '*':
			for i += 2; i+1 < len(src) && (src[i] != '*' || src[i+1] != '/'); {
				i++
			}
			i++
		case !visit(i, r):
			return
		}
	}
}

// unclosed finds the last bracket that is opened and not closed.
func unclosed(src []rune) (offset int, found bool) {
	closing := map[rune]rune{')': '(', ']': '[', '}': '{'}
	var open []int
	scan(src, func(i int, r rune) bool {
		switch {
		case strings.ContainsRune("([{", r):
			open = append(open, i)
		case closing[r] != 0 && len(open) > 0 && src[open[len(open)-1]] == closing[r]:
			open = open[:len(open)-1]
		}
		return true
	})
	if len(open) == 0 {
		return 0, false
	}
	return open[len(open)-1], true
}
