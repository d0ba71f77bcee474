// Runs a kernel of kernels.cu on a processor, one thread after the other: name, structure, inputs and length of the result
// come as text, the result goes out as text.

#include <cmath>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <string>
#include <vector>

struct Index {
    unsigned x;
};
static Index blockIdx{0}, threadIdx{0};
static const Index blockDim{1};
#define __global__
#define __device__
#include "../src/exec/candle/kernels.cu"

template <typename T> static T numbers(const std::vector<unsigned>& words) {
    T all;
    std::memcpy(&all, words.data(), sizeof(T));
    return all;
}

template <typename T> static std::vector<T> read() {
    size_t count;
    std::cin >> count;
    std::vector<T> values(count);
    for (T& value : values) std::cin >> value;
    return values;
}

int main() {
    std::string name;
    std::cin >> name;
    std::vector<unsigned> words = read<unsigned>();
    words.resize(16);
    size_t count, results;
    std::cin >> count;
    std::vector<std::vector<float>> in(count);
    for (auto& input : in) input = read<float>();
    std::cin >> results;
    std::vector<float> y(results, NAN);
    // More threads than elements, as whole blocks have them.
    for (blockIdx.x = 0; blockIdx.x < words[0] + 7; blockIdx.x++) {
        if (name == "patches") patches(in[0].data(), y.data(), numbers<Window>(words));
        else if (name == "depthwise2d") depthwise2d(in[0].data(), in[1].data(), y.data(), numbers<Window>(words));
        else if (name == "pool2d") pool2d(in[0].data(), y.data(), numbers<Window>(words));
        else if (name == "gather_transposed") gather_transposed(in[0].data(), y.data(), numbers<Transposed>(words));
        else if (name == "gru_step") gru_step(in[0].data(), in[1].data(), in[2].data(), y.data(), numbers<Recurrent>(words));
        else return 1;
    }
    for (float value : y) std::printf("%.9g\n", value);
}
