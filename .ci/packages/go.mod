module mles/packages

go 1.26.0
