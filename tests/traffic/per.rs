//! Aligned PER (X.691) as it should be written.

/// A value, bit by bit.
#[derive(Clone, Debug, Default)]
pub struct Per {
    bytes: Vec<u8>,
    /// Bits of the last byte that are taken; 0 where that is full.
    taken: u32,
}

impl Per {
    pub fn bits(&mut self, value: u32, number: u32) -> &mut Self {
        for bit in (0..number).rev() {
            if self.taken == 0 {
                self.bytes.push(0);
            }
            if value >> bit & 1 == 1
                && let Some(last) = self.bytes.last_mut()
            {
                *last |= 0x80 >> self.taken;
            }
            self.taken = (self.taken + 1) % 8;
        }
        self
    }

    pub fn bit(&mut self, value: bool) -> &mut Self {
        self.bits(value.into(), 1)
    }

    /// An octet string of a length that everybody knows, at an octet boundary.
    pub fn octets(&mut self, octets: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(octets);
        self.taken = 0;
        self
    }

    /// A number of two octets.
    pub fn word(&mut self, value: u16) -> &mut Self {
        self.octets(&value.to_be_bytes())
    }

    /// A length without limits.
    pub fn length(&mut self, length: usize) -> &mut Self {
        if length < 128 {
            self.octets(&[length as u8])
        } else {
            self.word(length as u16 | 0x8000)
        }
    }

    /// Octets behind their length: an octet string, an object identifier or an open type.
    pub fn counted(&mut self, octets: &[u8]) -> &mut Self {
        self.length(octets.len()).octets(octets)
    }

    /// A value in an envelope: an extension.
    pub fn open(&mut self, value: &Self) -> &mut Self {
        // X.691, 10.1.3: not even an empty value takes no octet.
        let empty = value.bytes.is_empty();
        self.counted(if empty { &[0] } else { &value.bytes })
    }

    /// A number in a range of more than 64 K, less the least of that range.
    pub fn number(&mut self, value: u32) -> &mut Self {
        let octets = value.to_be_bytes();
        let zeros = octets
            .iter()
            .take_while(|&&octet| octet == 0)
            .count()
            .min(3);
        self.bits(3 - zeros as u32, 2).octets(&octets[zeros..])
    }

    /// The alternative of a CHOICE with an extension: of the root, in so many bits.
    pub fn choice(&mut self, index: u32, bits: u32) -> &mut Self {
        self.bit(false).bits(index, bits)
    }

    /// The alternative of an extension.
    pub fn extension(&mut self, index: u32, value: &Self) -> &mut Self {
        self.bit(true).bits(index, 7).open(value)
    }

    /// The extensions of a SEQUENCE: which are there, then each of them.
    pub fn extensions(&mut self, values: &[Option<Self>]) -> &mut Self {
        self.bits(values.len() as u32 - 1, 7);
        for value in values {
            self.bit(value.is_some());
        }
        for value in values.iter().flatten() {
            self.open(value);
        }
        self
    }

    /// Goes on in a function of its own.
    pub fn add(&mut self, write: impl FnOnce(&mut Self)) -> &mut Self {
        write(self);
        self
    }

    pub fn finish(&self) -> Vec<u8> {
        self.bytes.clone()
    }
}

/// A value of its own.
pub fn per(write: impl FnOnce(&mut Per)) -> Per {
    let mut per = Per::default();
    write(&mut per);
    per
}
