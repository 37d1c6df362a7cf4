package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// configErrors gathers every problem, so that one run shows them all.
type configErrors []error

func (e *configErrors) add(where string, err error) {
	if err == nil {
		return
	}
	if where != "" {
		err = fmt.Errorf("%s: %w", where, err)
	}
	*e = append(*e, err)
}

func (e configErrors) err() error {
	return fmt.Errorf("%w:\n%w", errConfig, errors.Join(e...))
}

// readShape checks that the file is a mapping of known keys and notes the line
// of each. It returns the nodes of the sources.
func (c *Config) readShape(file string, data []byte, errs *configErrors) []*yaml.Node {
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		errs.add(file, err)
		return nil
	}
	if len(doc.Content) == 0 || doc.Content[0].Tag == "!!null" {
		return nil // an empty file, or one of comments only
	}
	known := map[string]bool{"sources": true}
	for _, s := range settings {
		known[s.key] = true
		if group, _, ok := strings.Cut(s.key, "."); ok {
			known[group] = false // a mapping, no value of its own
		}
	}
	var sources []*yaml.Node
	c.walk(file, "", doc.Content[0], known, errs, func(key string, value *yaml.Node) {
		if key == "sources" {
			sources = sourceNodes(file, value, errs)
		}
	})
	return sources
}

// walk visits a mapping and the mappings in it. known holds every key; true
// for one with a value, false for a group of keys.
func (c *Config) walk(file, prefix string, m *yaml.Node, known map[string]bool, errs *configErrors, found func(string, *yaml.Node)) {
	pairs, ok := pairsOf(file, strings.TrimSuffix(prefix, "."), m, errs)
	if !ok {
		return
	}
	for _, p := range pairs {
		where := fmt.Sprintf("%s:%d", file, p.key.Line)
		key := prefix + p.key.Value
		valued, ok := known[key]
		switch {
		case !ok:
			errs.add(where, fmt.Errorf("unknown key %q%s", plain(key), didYouMean(key, keysOf(known))))
		case valued:
			if p.value.Kind == yaml.MappingNode {
				errs.add(where, fmt.Errorf("%s: want a value, not further keys", key))
				continue
			}
			c.from[key] = where
			found(key, p.value)
		case p.value.Tag != "!!null": // a group whose keys are all commented out is fine
			c.walk(file, key+".", p.value, known, errs, found)
		}
	}
}

type pair struct{ key, value *yaml.Node }

// pairsOf takes a mapping apart. Aliases and merge keys are refused: they make
// a short file long and say nothing a settings file needs.
func pairsOf(file, what string, m *yaml.Node, errs *configErrors) ([]pair, bool) {
	if m.Kind != yaml.MappingNode {
		if what == "" {
			what = "the file"
		}
		errs.add(fmt.Sprintf("%s:%d", file, m.Line), fmt.Errorf("%s: want keys and values, as in `store: .watchword`", plain(what)))
		return nil, false
	}
	var pairs []pair
	seen := map[string]bool{}
	for i := 0; i+1 < len(m.Content); i += 2 {
		p := pair{m.Content[i], m.Content[i+1]}
		where := fmt.Sprintf("%s:%d", file, p.key.Line)
		switch {
		case p.key.Kind != yaml.ScalarNode || p.key.Tag == "!!merge" || p.value.Kind == yaml.AliasNode:
			errs.add(where, errors.New("want plain keys and values, without aliases"))
		case seen[p.key.Value]:
			errs.add(where, fmt.Errorf("key %q stands here twice", plain(p.key.Value)))
		default:
			seen[p.key.Value] = true
			pairs = append(pairs, p)
		}
	}
	return pairs, true
}

func sourceNodes(file string, list *yaml.Node, errs *configErrors) []*yaml.Node {
	if list.Tag == "!!null" {
		return nil
	}
	if list.Kind != yaml.SequenceNode {
		errs.add(fmt.Sprintf("%s:%d", file, list.Line), errors.New("sources: want a list, each entry beginning with `- name: …`"))
		return nil
	}
	return list.Content
}

// newSource is a source with the defaults.
func newSource() Source {
	var s Source
	for _, set := range sourceSettings {
		if err := set.read(&s, nil); err != nil {
			panic(err) // a default in the table that its own setter refuses
		}
	}
	return s
}

// readSource reads one entry of sources and checks it.
func readSource(file string, node *yaml.Node, errs *configErrors) Source {
	s := newSource()
	where := fmt.Sprintf("%s:%d", file, node.Line)
	pairs, ok := pairsOf(file, "sources", node, errs)
	if !ok {
		return s
	}
	names := make([]string, len(sourceSettings))
	for i, set := range sourceSettings {
		names[i] = set.key
	}
	for _, p := range pairs {
		at := fmt.Sprintf("%s:%d", file, p.key.Line)
		i := slices.Index(names, p.key.Value)
		if i < 0 {
			hint := didYouMean(p.key.Value, names)
			if p.key.Value == "token" {
				hint = "; a token is not written here: name its file (token_file), variable (token_env) or command (token_command)"
			}
			errs.add(at, fmt.Errorf("sources: unknown key %q%s", plain(p.key.Value), hint))
			continue
		}
		var value any
		if err := p.value.Decode(&value); err != nil {
			errs.add(at, fmt.Errorf("sources: %s: %w", p.key.Value, err))
			continue
		}
		if err := sourceSettings[i].read(&s, value); err != nil {
			errs.add(at, fmt.Errorf("sources: %w", err))
		}
	}
	tokens := 0
	for _, given := range []bool{s.TokenFile != "", s.TokenEnv != "", len(s.TokenCommand) > 0} {
		if given {
			tokens++
		}
	}
	switch {
	case s.Name == "":
		errs.add(where, errors.New("sources: an entry has no name; it stands in what is stored, so choose one that can stay"))
	case tokens != 1:
		errs.add(where, fmt.Errorf("sources: %s: want exactly one of token_file, token_env and token_command, have %d", plain(s.Name), tokens))
	case s.Region != "" && s.URL != "":
		errs.add(where, fmt.Errorf("sources: %s: want region or url, not both", plain(s.Name)))
	}
	return s
}

func keysOf(known map[string]bool) []string {
	keys := make([]string, 0, len(known))
	for k := range known {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
