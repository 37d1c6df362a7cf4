package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"watchword/rules"
)

type rulesFmtCmd struct {
	Files []string `arg:"" name:"file-or-folder" help:"Rule files, or folders of them; - formats standard input to standard output."`
	Check bool     `help:"Change nothing; print the names of the files that are not formatted, and exit with 1 if there are any."`
}

// Run formats each file in place and prints the names of those it changed. A
// file whose syntax is wrong is told and left alone.
func (c *rulesFmtCmd) Run(p *program) error {
	files, err := ruleFiles(c.Files)
	if err != nil {
		return err
	}
	found := false
	for _, file := range files {
		data, err := p.readRuleFile(file)
		if err != nil {
			return err
		}
		formatted, problems := rules.Format(file, data)
		if problems.HasErrors() {
			found = true
			fmt.Fprintln(p.err, plainText(problems.Error()))
			continue
		}
		same := bytes.Equal(data, formatted)
		found = found || c.Check && !same
		switch {
		case c.Check && !same:
			fmt.Fprintln(p.out, plain(file))
		case c.Check:
		case file == "-":
			if _, err := p.out.Write(formatted); err != nil {
				return err
			}
		case !same:
			if err := replaceFile(file, formatted); err != nil {
				return err
			}
			fmt.Fprintln(p.out, plain(file))
		}
	}
	if found {
		return errFound
	}
	return nil
}

// ruleFiles are the files named and those of the folders named.
func ruleFiles(args []string) ([]string, error) {
	var files []string
	for _, arg := range args {
		if arg == "-" {
			files = append(files, arg)
			continue
		}
		info, err := os.Stat(arg)
		if err != nil {
			return nil, wrongUse{err}
		}
		if !info.IsDir() {
			files = append(files, arg)
			continue
		}
		in, err := fs.Glob(os.DirFS(arg), "*.expr")
		if err != nil {
			return nil, err
		}
		if len(in) == 0 {
			return nil, wrongUse{fmt.Errorf("no rules in %s", arg)}
		}
		for _, name := range in {
			files = append(files, filepath.Join(arg, name))
		}
	}
	return files, nil
}

func (p *program) readRuleFile(file string) ([]byte, error) {
	if file == "-" {
		return io.ReadAll(p.in)
	}
	return os.ReadFile(file)
}

// replaceFile writes a file whole or not at all, with the mode it had.
func replaceFile(file string, data []byte) (err error) {
	file, err = filepath.EvalSymlinks(file) // the file changes, not the link
	if err != nil {
		return err
	}
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	// The name keeps whoever watches the folder from reading it as a rule.
	next, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+".*.tmp")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(next.Name()))
		}
	}()
	_, err = next.Write(data)
	if err = errors.Join(err, next.Chmod(info.Mode().Perm()), next.Close()); err != nil {
		return err
	}
	return os.Rename(next.Name(), file)
}
