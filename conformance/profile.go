package conformance

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// A Profile says what one implementation is known to do otherwise: for each case
// that does not simply pass, which outcomes are as expected and why.
type Profile struct {
	Name    string      `json:"name"`
	Server  string      `json:"server"` // what it is about, and how it was started
	Entries []Deviation `json:"cases"`
}

// A Deviation is what one case may come to, and the reason. Several outcomes
// stand where the implementation itself varies.
type Deviation struct {
	ID       string    `json:"id"`
	Outcomes []Outcome `json:"outcomes"`
	Reason   string    `json:"reason"`
	// Key limits the entry to runs "with" or "without" a shared key.
	Key string `json:"key,omitempty"`
}

//go:embed profiles/*.json
var profileFiles embed.FS

// ErrProfile is in errors about profiles that do not exist or do not fit.
var ErrProfile = errors.New("no such profile")

// Profiles names the profiles that LoadProfile knows.
func Profiles() []string {
	files, _ := fs.Glob(profileFiles, "profiles/*.json")
	for i, f := range files {
		files[i] = strings.TrimSuffix(strings.TrimPrefix(f, "profiles/"), ".json")
	}
	return files
}

// LoadProfile returns the profile of that name, or reads the file, if the name
// ends in .json. "" is the profile that expects all to pass.
func LoadProfile(name string) (*Profile, error) {
	if name == "" {
		return &Profile{}, nil
	}
	var f fs.File
	var err error
	if strings.HasSuffix(name, ".json") {
		f, err = os.Open(name)
	} else {
		f, err = profileFiles.Open("profiles/" + name + ".json")
	}
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) {
		return nil, fmt.Errorf("%w: %s: there are %s, and files that end in .json", ErrProfile, name, strings.Join(Profiles(), ", "))
	} else if err != nil {
		return nil, err
	}
	defer f.Close()
	return ReadProfile(f)
}

// ReadProfile reads a profile and checks it.
func ReadProfile(r io.Reader) (*Profile, error) {
	d := json.NewDecoder(r)
	d.DisallowUnknownFields()
	var p Profile
	if err := d.Decode(&p); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrProfile, err)
	}
	for _, e := range p.Entries {
		switch {
		case e.ID == "" || e.Reason == "" || len(e.Outcomes) == 0:
			return nil, fmt.Errorf("%w: %s: entry %q lacks its id, outcomes or reason", ErrProfile, p.Name, e.ID)
		case e.Key != "" && e.Key != "with" && e.Key != "without":
			return nil, fmt.Errorf("%w: %s: entry %q: key is %q, want with or without", ErrProfile, p.Name, e.ID, e.Key)
		}
	}
	return &p, nil
}

// expects returns what a case may come to, and why if that is not simply Pass.
func (p *Profile) expects(id string, keyed bool) ([]Outcome, string) {
	with := "without"
	if keyed {
		with = "with"
	}
	at := slices.IndexFunc(p.Entries, func(d Deviation) bool { return d.ID == id && (d.Key == "" || d.Key == with) })
	if at < 0 {
		return []Outcome{Pass}, ""
	}
	return p.Entries[at].Outcomes, p.Entries[at].Reason
}
