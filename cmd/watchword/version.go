package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// versionCmd prints what was built, of what.
type versionCmd struct{}

func (versionCmd) Run(p *program) error {
	v := version()
	if p.JSON {
		return printJSON(p.out, v)
	}
	fmt.Fprintf(p.out, "watchword %s (%s, %s/%s)\n", v.Version, v.Go, runtime.GOOS, runtime.GOARCH)
	return nil
}

type buildVersion struct {
	Version string `json:"version"`
	Go      string `json:"go"`
}

// version is the module's version or, in a build from a working tree, the
// commit it was at.
func version() buildVersion {
	v := buildVersion{Version: "unknown", Go: runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if info.Main.Version != "" && info.Main.Version != "(devel)" {
		v.Version = info.Main.Version
		return v
	}
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			v.Version = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			v.Version += " (modified)"
		}
	}
	return v
}
