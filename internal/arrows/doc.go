// Package arrows holds the project's structure: which package may import which.
// It has nothing but a test.
package arrows
