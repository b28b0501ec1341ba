write_source() { printf '%s\n' "${samples_made[@]}"; }
