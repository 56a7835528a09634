package main

import (
	"fmt"
	"hash/crc32"
	"os"
	"runtime"
	"runtime/debug"
)

// release is set by the linker when an archive is made (make release).
var release string //nolint:gochecknoglobals // -ldflags -X needs a variable

type versionCmd struct{}

// Run prints the version.
func (versionCmd) Run(o out) error {
	_, err := fmt.Fprintf(o.Out, "hawker %s %s %s/%s\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

// build names this very program: two of them may be of one version.
func build() string {
	path, err := os.Executable()
	if runtime.GOOS == "linux" { // the file may have been replaced since we began
		path, err = "/proc/self/exe", nil
	}
	if err == nil {
		if f, err := os.Stat(path); err == nil {
			return fmt.Sprintf("%s (%08x)", version(), crc32.ChecksumIEEE(fmt.Append(nil, f.Size(), f.ModTime().UnixNano())))
		}
	}
	return version()
}

// version is the release, or for a build from source the commit.
func version() string {
	if release != "" {
		return release
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "devel"
	}
	rev, dirty := "", ""
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			rev = s.Value[:min(12, len(s.Value))]
		case "vcs.modified":
			if s.Value == "true" {
				dirty = "+changes"
			}
		}
	}
	if rev == "" {
		return "devel"
	}
	return "devel-" + rev + dirty
}
