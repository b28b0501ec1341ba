# shellcheck shell=bash disable=SC2016,SC2154
