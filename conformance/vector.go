package conformance

import (
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A Vector is one matter of the protocol as data, for people who test an
// implementation without a server. It has at most one fault. In files, bytes are
// lower-case hex; vectors/README.md says what Input and Output hold for each kind.
type Vector struct {
	Schema  string         `json:"schema"` // VectorSchema
	ID      string         `json:"id"`     // kind/name, also the file's path
	Kind    string         `json:"kind"`
	Section string         `json:"section"`
	Says    string         `json:"says"`
	Valid   bool           `json:"valid"`
	Input   map[string]any `json:"input"`
	Output  map[string]any `json:"output,omitempty"` // what must come of a valid Input
}

// VectorSchema names the form of the files.
const VectorSchema = "mles-vector/1"

// Vectors returns all vectors. The slice is the caller's.
func Vectors() []Vector {
	return slices.Concat(
		v1KeyVectors(),
		v1FrameVectors(),
		v1BodyVectors(),
		v1ResyncVectors(),
		v1MaskVectors(),
		v2AuthVectors(),
		v2HelloVectors(),
		mappingVectors(),
	)
}

//go:embed vectors
var vectorDocs embed.FS

// WriteVectors writes each vector to a file of its own, dir/kind/name.json, and
// beside them what explains them: README.md, schema.json and check.py, which uses
// them from Python. It returns how many vectors there are.
func WriteVectors(dir string) (int, error) {
	docs, err := fs.Sub(vectorDocs, "vectors")
	if err != nil {
		return 0, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return 0, err
	}
	names, err := fs.Glob(docs, "*")
	if err != nil {
		return 0, err
	}
	for _, name := range names {
		text, err := fs.ReadFile(docs, name)
		if err != nil {
			return 0, err
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return 0, err
		}
	}
	vectors := Vectors()
	for _, v := range vectors {
		if err := v.write(dir); err != nil {
			return 0, err
		}
	}
	return len(vectors), nil
}

func (v Vector) write(dir string) error {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("vector %s: %w", v.ID, err)
	}
	file := filepath.Join(dir, filepath.FromSlash(v.ID)+".json")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, []byte(b.String()), 0o644)
}

// fields are the members of a vector's Input or Output.
type fields = map[string]any

// A vectorKind makes the vectors of one kind.
type vectorKind struct {
	kind, section string
	made          []Vector
}

func (k *vectorKind) valid(name, says string, in, out fields) {
	k.add(Vector{ID: name, Says: says, Valid: true, Input: in, Output: out})
}

func (k *vectorKind) invalid(name, says string, in fields) {
	k.add(Vector{ID: name, Says: says, Input: in})
}

func (k *vectorKind) add(v Vector) {
	v.Schema, v.Kind, v.Section, v.ID = VectorSchema, k.kind, k.section, k.kind+"/"+v.ID
	k.made = append(k.made, v)
}

func hexOf(b []byte) string     { return hex.EncodeToString(b) }
func hex64(n uint64) string     { return fmt.Sprintf("%016x", n) }
func hexOfText(s string) string { return hex.EncodeToString([]byte(s)) }
