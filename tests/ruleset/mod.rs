mod nftables;
