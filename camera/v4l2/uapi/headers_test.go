package uapi_test

import (
	"fmt"
	"go/ast"
	"go/build"
	"go/constant"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// What is said to the kernel is compared with the kernel's own headers: sizes, offsets and
// constants as Go's compiler sees them for an architecture are written down as assertions,
// and the C compiler for that architecture checks them.
func TestABI_IsThatOfTheKernelsHeaders(t *testing.T) {
	for _, a := range []struct {
		goarch   string
		compiler []string
	}{
		{"amd64", []string{"x86_64-linux-gnu-gcc"}},
		{"arm64", []string{"aarch64-linux-gnu-gcc"}},
		{"arm", []string{"arm-linux-gnueabihf-gcc"}},
		{"mipsle", []string{"mipsel-linux-gnu-gcc"}},
		{"386", []string{"x86_64-linux-gnu-gcc", "-m32", "-idirafter", "/usr/include/x86_64-linux-gnu"}},
	} {
		t.Run(a.goarch, func(t *testing.T) {
			t.Parallel()
			compiler, err := exec.LookPath(a.compiler[0])
			if err != nil {
				missing(t, a.compiler[0]+" is not installed")
			}
			source := assertions(t, a.goarch)
			if n := strings.Count(source, "_Static_assert"); n < 300 {
				t.Fatalf("only %d assertions; the tables are not read", n)
			}
			dir := t.TempDir()
			write(t, filepath.Join(dir, "abi.c"), source)
			// The 64-bit C library's headers do for 32 bits, but for this one, which lists
			// functions.
			write(t, filepath.Join(dir, "gnu", "stubs-32.h"), "")
			args := append(a.compiler[1:], "-fsyntax-only", "-Wall", "-Werror", "-idirafter", dir, filepath.Join(dir, "abi.c"))
			if out, err := exec.CommandContext(t.Context(), compiler, args...).CombinedOutput(); err != nil {
				t.Errorf("%v:\n%s", err, out)
			}
		})
	}
}

// missing skips the test because a compiler is not there. Where CI is set to true that is
// a failure.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s, and CI=true does not allow to skip", what)
	}
	t.Skip(what)
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// assertions is a C file that compiles if the packages say what the headers do.
func assertions(t *testing.T, goarch string) string {
	t.Helper()
	sizes := types.SizesFor("gc", goarch)
	abi, api := load(t, goarch, sizes)
	var c strings.Builder
	// The older 32-bit time, which the requests are for, also where C has a newer one.
	c.WriteString("#undef _TIME_BITS\n#undef _FILE_OFFSET_BITS\n" +
		"#include <stddef.h>\n#include <linux/videodev2.h>\n")
	assert := func(left string, right int64, what string) {
		fmt.Fprintf(&c, "_Static_assert((%s) == %dLL, \"Go: %s is %#x\");\n", left, right, what, right)
	}
	structs(t, abi, sizes, assert)
	for _, p := range []struct {
		pkg   *types.Package
		names map[string]string
		must  func(*types.Const) bool // has to be in the table
	}{
		{abi, abiConstants(), func(*types.Const) bool { return true }},
		{api, uapiConstants(), func(k *types.Const) bool {
			kind := k.Type().String()
			return strings.HasSuffix(kind, ".FourCC") || strings.HasPrefix(k.Name(), "Control")
		}},
	} {
		var seen []string
		for _, name := range p.pkg.Scope().Names() {
			k, ok := p.pkg.Scope().Lookup(name).(*types.Const)
			if !ok || !k.Exported() || p.names[name] == "" && !p.must(k) {
				continue
			}
			seen = append(seen, name)
			if p.names[name] == "" {
				t.Errorf("%s.%s is not compared with the kernel's headers", p.pkg.Name(), name)
				continue
			}
			value, exact := constant.Int64Val(k.Val())
			if !exact {
				t.Errorf("%s.%s is %v", p.pkg.Name(), name, k.Val())
			}
			for cName := range strings.FieldsSeq(p.names[name]) {
				assert("(unsigned int)"+cName, value, p.pkg.Name()+"."+name)
			}
		}
		for name := range p.names {
			if !slices.Contains(seen, name) {
				t.Errorf("%s has no constant %s", p.pkg.Name(), name)
			}
		}
	}
	return c.String()
}

// structs asserts the size of every structure, and the place and size of every field.
func structs(t *testing.T, abi *types.Package, sizes types.Sizes, assert func(string, int64, string)) {
	t.Helper()
	structNames, fieldNames := abiStructs(), abiFields()
	for _, name := range abi.Scope().Names() {
		s, ok := abi.Scope().Lookup(name).Type().Underlying().(*types.Struct)
		if _, isType := abi.Scope().Lookup(name).(*types.TypeName); !ok || !isType {
			continue
		}
		cName := "struct " + structNames[name]
		if structNames[name] == "" {
			t.Errorf("abi.%s is not compared with the kernel's headers", name)
			continue
		}
		assert("sizeof("+cName+")", sizes.Sizeof(s), "the size of abi."+name)
		fields := make([]*types.Var, s.NumFields())
		for i := range fields {
			fields[i] = s.Field(i)
		}
		offsets := sizes.Offsetsof(fields)
		for i, f := range fields {
			if f.Name() == "_" {
				continue
			}
			field := fieldNames[name+"."+f.Name()]
			if field == "" {
				field = snake(f.Name())
			}
			what := "abi." + name + "." + f.Name()
			assert("offsetof("+cName+", "+field+")", offsets[i], "the offset of "+what)
			assert("sizeof((("+cName+"*)0)->"+field+")", sizes.Sizeof(f.Type()), "the size of "+what)
		}
	}
	// Unions that are read by methods.
	assert("offsetof(struct v4l2_frmsizeenum, discrete.width) - offsetof(struct v4l2_frmsizeenum, stepwise.min_width)", 0, "a difference")
	assert("offsetof(struct v4l2_frmsizeenum, discrete.height) - offsetof(struct v4l2_frmsizeenum, stepwise.max_width)", 0, "a difference")
	assert("offsetof(struct v4l2_frmivalenum, discrete) - offsetof(struct v4l2_frmivalenum, stepwise.min)", 0, "a difference")
	assert("offsetof(struct v4l2_buffer, m.planes) - offsetof(struct v4l2_buffer, m.offset)", 0, "a difference")
	assert("offsetof(struct v4l2_plane, m.mem_offset) - offsetof(struct v4l2_plane, m)", 0, "a difference")
	assert("offsetof(struct v4l2_querymenu, value) - offsetof(struct v4l2_querymenu, name)", 0, "a difference")
	assert("offsetof(struct v4l2_format, fmt.pix) - offsetof(struct v4l2_format, fmt.pix_mp)", 0, "a difference")
	assert("offsetof(struct v4l2_ext_control, value) - offsetof(struct v4l2_ext_control, value64)", 0, "a difference")
}

// snake is a Go name as C writes it.
func snake(name string) string {
	var b strings.Builder
	for i, r := range name {
		if i > 0 && r >= 'A' && r <= 'Z' && (name[i-1] < 'A' || name[i-1] > 'Z') {
			b.WriteByte('_')
		}
		b.WriteRune(r)
	}
	return strings.ToLower(b.String())
}

// load checks the types of package abi, and the constants of package uapi, for an
// architecture.
func load(t *testing.T, goarch string, sizes types.Sizes) (abi, api *types.Package) {
	t.Helper()
	context := build.Default
	context.GOOS, context.GOARCH, context.CgoEnabled = "linux", goarch, false
	check := func(dir string, config types.Config) *types.Package {
		p, err := context.ImportDir(dir, 0)
		if err != nil {
			t.Fatal(err)
		}
		fset := token.NewFileSet()
		var files []*ast.File
		for _, name := range p.GoFiles {
			f, err := parser.ParseFile(fset, filepath.Join(dir, name), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, f)
		}
		config.Sizes = sizes
		pkg, err := config.Check(p.Name, fset, files, nil)
		if err != nil && config.Error == nil {
			t.Fatal(err)
		}
		return pkg
	}
	abi = check("abi", types.Config{Importer: importer.Default()})
	// Other packages are left out, and with them what is of no interest here.
	api = check(".", types.Config{
		Importer: only{abi}, IgnoreFuncBodies: true, Error: func(error) {},
	})
	return abi, api
}

// only imports one package.
type only struct{ abi *types.Package }

func (o only) Import(path string) (*types.Package, error) {
	if strings.HasSuffix(path, "/abi") {
		return o.abi, nil
	}
	return nil, fmt.Errorf("%s is left out", path)
}
