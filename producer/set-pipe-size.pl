# Gives the pipe on standard input room for so many bytes, which the kernel rounds up to a power of two, or for
# as many as it allows.
#
#   perl set-pipe-size.pl BYTES <>FIFO
#
# Perl, as no shell can call fcntl(2) and Debian's images have it. The pipe keeps its size for as long as
# anybody holds it open.
use strict;
use warnings;

# Of Linux, fcntl(2); perl-base does not name them.
use constant { F_SETPIPE_SZ => 1031, F_GETPIPE_SZ => 1032 };

exit 0 if $^O ne 'linux';
my ($bytes) = @ARGV;
my $before = fcntl STDIN, F_GETPIPE_SZ, 0 or die "its size cannot be had: $!\n";
exit 0 if $before >= $bytes;
exit 0 if fcntl STDIN, F_SETPIPE_SZ, 0 + $bytes;
my $problem = $!;
for (my $fewer = $bytes / 2; $fewer > $before; $fewer /= 2) {
    last if fcntl STDIN, F_SETPIPE_SZ, int $fewer;
}
my $now = fcntl STDIN, F_GETPIPE_SZ, 0;
die "it has $now, as fs.pipe-max-size and fs.pipe-user-pages-soft allow for: $problem\n";
