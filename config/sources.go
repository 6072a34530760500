package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/poolcast/poolcast/config/files"
)

// Input is one --config-file or --config-dir of the command line.
type Input struct {
	Path string
	Dir  bool // Path is a folder: its *.conf are read, sorted by name
}

// Sources are all places that a configuration is read from.
type Sources struct {
	// Inputs are read in this order, the order of the command line; of several
	// values the last one counts. The default are the files that cinder-volume
	// reads without arguments: /etc/cinder/cinder.conf and, if they exist,
	// cinder-volume.conf, cinder.conf.d and cinder-volume.conf.d.
	Inputs []Input
	// Environ is os.Environ(): OS_<SECTION>__<OPTION> overrides every file.
	Environ []string
	// Flags are options of [poolcast] given on the command line, by name, with
	// underscores. They override the environment and every file.
	Flags map[string]string
	// StripComments removes comments after names and functions too, which Cinder
	// reads as part of the value: for published examples, not for a live cloud.
	StripComments bool
	// hostname is the default of [DEFAULT] host; "" means the name of the system.
	hostname string
}

// Files makes inputs of paths.
func Files(paths ...string) []Input {
	inputs := make([]Input, len(paths))
	for i, path := range paths {
		inputs[i] = Input{Path: path}
	}
	return inputs
}

// defaultInputs is what cinder-volume reads from /etc/cinder when it is started
// without arguments (oslo_config/cfg.py, find_config_files and find_config_dirs,
// with project "cinder" and program "cinder-volume"): cinder.conf, and those of
// the others that exist.
func defaultInputs(folder string) []Input {
	inputs := Files(filepath.Join(folder, "cinder.conf"))
	for _, more := range []Input{
		{Path: "cinder-volume.conf"},
		{Path: "cinder.conf.d", Dir: true},
		{Path: "cinder-volume.conf.d", Dir: true},
	} {
		more.Path = filepath.Join(folder, more.Path)
		if _, err := os.Stat(more.Path); err == nil {
			inputs = append(inputs, more)
		}
	}
	return inputs
}

// environment returns the variables by name. Of equal names the first one counts,
// as in a process.
func environment(environ []string) map[string]string {
	env := make(map[string]string, len(environ))
	for _, pair := range environ {
		name, value, ok := strings.Cut(pair, "=")
		if _, taken := env[name]; ok && !taken {
			env[name] = value
		}
	}
	return env
}

// files resolves the inputs to the files to read, in order.
func (l *loader) files() []string {
	var files []string
	for _, in := range l.sources.Inputs {
		path := expandHome(in.Path, l.env["HOME"])
		if !in.Dir {
			files = append(files, path)
			continue
		}
		found, err := confFiles(path)
		if err != nil {
			l.unreadable(place{file: path}, err)
		}
		files = append(files, found...)
	}
	return files
}

func confFiles(folder string) ([]string, error) {
	members, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, m := range members {
		if strings.HasSuffix(m.Name(), ".conf") && !strings.HasPrefix(m.Name(), ".") {
			files = append(files, filepath.Join(folder, m.Name()))
		}
	}
	slices.Sort(files)
	return files, nil
}

func expandHome(path, home string) string {
	if rest, ok := strings.CutPrefix(path, "~/"); ok && home != "" {
		return filepath.Join(home, rest)
	}
	return path
}

// unreadable records why a file or folder could not be read, and what to do.
func (l *loader) unreadable(at place, err error) {
	hint := ""
	switch {
	case errors.Is(err, fs.ErrNotExist):
		hint = "Give the files that cinder-volume reads with --config-file and --config-dir."
	case errors.Is(err, fs.ErrPermission):
		hint = "Run poolcast as a user that may read it, for example a member of the group cinder."
	case errors.Is(err, files.ErrNotRegular), errors.Is(err, files.ErrTooLarge):
		hint = "Give the regular files that cinder-volume reads."
	}
	cause := err
	if p := new(fs.PathError); errors.As(err, &p) {
		cause = p.Err
	}
	l.record.fault(subject{at: at}, hint, fmt.Errorf("cannot be read: %w", cause))
}
