package event

import (
	"bytes"
	stdjson "encoding/json"
	"fmt"
	"strings"
	"testing"
)

// objectLine is a line of a file with the API's own object.
func objectLine(e *Event, source string) []byte {
	raw := &bytes.Buffer{}
	if err := stdjson.Compact(raw, e.Raw); err != nil {
		panic(err)
	}
	line := fmt.Sprintf(`{"feed":%q,"event":%s`, FeedOf(e.Kind), raw)
	if source != "" {
		line += fmt.Sprintf(`,"source":%q`, source)
	}
	return []byte(line + "}")
}

// A line of either form is the event that a poller would have stored.
func TestReadLine(t *testing.T) {
	for _, feed := range Feeds {
		want := sample(t, feed)
		wantFields, err := want.Fields()
		if err != nil {
			t.Fatal(err)
		}
		envelope, err := want.Encode()
		if err != nil {
			t.Fatal(err)
		}
		for name, line := range map[string][]byte{
			"object": objectLine(&want, ""), "object with its source": objectLine(&want, "acme"), "envelope": envelope,
		} {
			source := "acme"
			if name != "object" {
				source = "another"
			}
			e, f, err := ReadLine(line, source)
			if err != nil {
				t.Errorf("%s of %s: %v", name, feed, err)
				continue
			}
			if f != wantFields {
				t.Errorf("%s of %s:\n got %+v\nwant %+v", name, feed, f, wantFields)
			}
			if e.ID != want.ID || e.Kind != want.Kind || e.Source != "acme" || e.Account != want.Account || !e.Time.Equal(want.Time) {
				t.Errorf("%s of %s: %+v", name, feed, e)
			}
			if again, err := e.Fields(); err != nil || again != f {
				t.Errorf("%s of %s: the raw object says %+v, %v", name, feed, again, err)
			}
		}
	}
}

func TestReadLineErrors(t *testing.T) {
	for line, want := range map[string]string{
		``:      "no JSON",
		`[]`:    "no JSON",
		`{`:     "no JSON",
		`{} {}`: "no JSON",
		`null`:  "neither",
		`{}`:    "neither",
		`{"uuid":"A","timestamp":"2026-05-04T08:15:02Z"}`:                                  "neither",
		`{"feed":"itemusages","event":{"uuid":"A"}}`:                                       "no timestamp",
		`{"feed":"itemusages","event":{"timestamp":"2026-05-04T08:15:02Z"}}`:               "no uuid",
		`{"feed":"itemusages","event":{"uuid":"A","timestamp":"yesterday"}}`:               "itemusages object",
		`{"feed":"itemusages","event":[1]}`:                                                "itemusages object",
		`{"feed":"items","event":{"uuid":"A","timestamp":"2026-05-04T08:15:02Z"}}`:         "want signinattempts, itemusages, auditevents",
		`{"event":{"uuid":"A","timestamp":"2026-05-04T08:15:02Z"}}`:                        "unknown feed",
		`{"feed":"itemusages","event":{},"raw":{}}`:                                        "both",
		`{"id":"a/itemusages/A","source":"a","time":"2026-05-04T08:15:02Z","raw":{}}`:      "no kind",
		`{"id":"a/x/A","kind":"x","source":"a","time":"2026-05-04T08:15:02Z","raw":{}}`:    "unknown kind",
		`{"kind":"item","source":"a","time":"2026-05-04T08:15:02Z","raw":{}}`:              "no id",
		`{"id":"a/itemusages/A","kind":"item","time":"2026-05-04T08:15:02Z","raw":{}}`:     "no source",
		`{"id":"a/itemusages/A","kind":"item","source":"a","raw":{}}`:                      "no time",
		`{"id":"a/i/A","kind":"item","source":"a","time":"2026-05-04T08:15:02Z","raw":[]}`: "a/i/A",
	} {
		if e, f, err := ReadLine([]byte(line), "file"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: want an error with %q, got %v (%+v, %+v)", line, want, err, e, f)
		}
	}
}

// Whatever is read is JSON to the standard library too, has all that an event
// has, and reads as the same fields from its envelope.
func FuzzReadLine(f *testing.F) {
	for _, feed := range Feeds {
		e := sample(f, feed)
		f.Add(objectLine(&e, "acme"))
		envelope, err := e.Encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(envelope)
	}
	f.Add([]byte(`{"feed":"itemusages","event":null,"raw":null}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		e, fields, err := ReadLine(line, "file")
		if err != nil {
			return
		}
		if !stdjson.Valid(line) {
			t.Fatalf("read %q, which is no JSON to the standard library", line)
		}
		if err := e.complete(); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		again, err := e.Fields()
		if err != nil || again != fields {
			t.Fatalf("%q:\n read as %+v\nthen as %+v, %v", line, fields, again, err)
		}
	})
}
