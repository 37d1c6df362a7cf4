// Package builtin carries the rules that come with Watchword, each with its
// test beside it.
package builtin

import "embed"

// FS holds the rule files, their tests and their lists.
//
//go:embed *.expr *_test.yaml lists
var FS embed.FS
