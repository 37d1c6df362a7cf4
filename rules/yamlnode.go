package rules

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// The functions below read YAML nodes strictly: every mistake is reported at
// the node it is in, and reading goes on with the rest.

// readMap calls the reader of each key. It reports keys that are not known or
// there twice, and returns the keys it has seen.
func readMap(t *text, n *yaml.Node, readers map[string]func(*yaml.Node)) map[string]bool {
	seen := map[string]bool{}
	if n.Kind != yaml.MappingNode {
		t.errorAt(n.Line, n.Column, "", "expected keys and values (%s), not %s", some(slices.Sorted(maps.Keys(readers))), describe(n))
		return seen
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		read, known := readers[key.Value]
		switch {
		case key.Kind != yaml.ScalarNode || !known:
			hint := didYouMean(key.Value, slices.Collect(maps.Keys(readers)))
			if hint == "" {
				hint = "known are " + some(slices.Sorted(maps.Keys(readers)))
			}
			t.errorAt(key.Line, key.Column, hint, "unknown key %q", key.Value)
		case seen[key.Value]:
			t.errorAt(key.Line, key.Column, "", "%s is there twice", key.Value)
		default:
			seen[key.Value] = true
			read(value)
		}
	}
	return seen
}

// some joins words for a message.
func some(words []string) string { return strings.Join(words, ", ") }

// describe names what a node is.
func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a map"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias"
	}
	switch n.ShortTag() {
	case "!!null":
		return "nothing"
	case "!!int", "!!float":
		return "the number " + n.Value
	case "!!bool":
		return n.Value
	case "!!timestamp":
		return "the time " + n.Value
	}
	return fmt.Sprintf("the text %q", n.Value)
}

// readText reads a text that is not empty.
func readText(t *text, n *yaml.Node, key string) string {
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!str" {
		hint := ""
		if n.Kind == yaml.ScalarNode && n.ShortTag() != "!!null" {
			hint = fmt.Sprintf(`put it in quotes: "%s"`, n.Value)
		}
		t.errorAt(n.Line, n.Column, hint, "%s must be a text, not %s", key, describe(n))
		return ""
	}
	if strings.TrimSpace(n.Value) == "" {
		t.errorAt(n.Line, n.Column, "", "%s is empty", key)
	}
	return n.Value
}

// readLine reads a text of one line.
func readLine(t *text, n *yaml.Node, key string) string {
	s := strings.TrimSpace(readText(t, n, key))
	if strings.ContainsAny(s, "\n\r") {
		t.errorAt(n.Line, n.Column, "", "%s must be one line", key)
	}
	return s
}

// readTexts reads a list of texts and returns their nodes.
func readTexts(t *text, n *yaml.Node, key string) []*yaml.Node {
	if n.Kind != yaml.SequenceNode {
		t.errorAt(n.Line, n.Column, "write it between brackets or one a line after a dash", "%s must be a list, not %s", key, describe(n))
		return nil
	}
	var out []*yaml.Node
	for _, e := range n.Content {
		if readText(t, e, "an entry of "+key) != "" {
			out = append(out, e)
		}
	}
	return out
}

func texts(nodes []*yaml.Node) []string {
	var out []string
	for _, n := range nodes {
		out = append(out, strings.TrimSpace(n.Value))
	}
	return out
}

// readOneOf reads one of a few words.
func readOneOf(t *text, n *yaml.Node, key string, words []string) string {
	if n.Kind != yaml.ScalarNode || !slices.Contains(words, n.Value) {
		t.errorAt(n.Line, n.Column, didYouMean(n.Value, words), "%s must be one of %s, not %s", key, some(words), describe(n))
		return ""
	}
	return n.Value
}

// readDuration reads a duration such as 15m.
func readDuration(t *text, n *yaml.Node, key string) time.Duration {
	if n.Kind != yaml.ScalarNode {
		t.errorAt(n.Line, n.Column, "", "%s must be a duration such as 15m, not %s", key, describe(n))
		return 0
	}
	d, err := parseDuration(n.Value)
	if err != nil {
		t.report(checkOf(err), Error, n.Line, n.Column, "", fmt.Sprintf("%s: %v", key, err))
	}
	return d
}
